/**
 * Corner cases and error codes, held against what a FoundationDB server has answered (`fixtures/fdb-7.3.79/probes.txt`), as a
 * test of any engine.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import * as fs from "node:fs"
import {
  type AtomicOp,
  Bytes,
  Database,
  type FdbError,
  KeyRange,
  KeySelector,
  Transaction,
  type TransactionOptions,
  type TransactionService
} from "../../src/index.ts"

/** Why a probe is not asked, or not answered as by the bare binding. */
const excluded: Record<string, string> = {
  "set \\xff\\xff": "the special keys are not offered: whatever is not a user's key is refused alike, with 2004",
  "getRange limit -1": "a limit that is none is refused, with 2012, instead of being none",
  "getRange exact without limit": "the streaming mode is the engine's own",
  "commit, reset, use": "an attempt is not used again: each has a transaction of its own",
  "deferred error: later calls": "a call that is refused fails by itself, at once, and not the calls after it",
  "get after cancel": "nothing can be cancelled by hand",
  "get during commit": "the body has ended before the commit begins",
  "on_error codes that may be retried":
    "the codes are those of `FdbError`; 1039 comes only from clients of several versions"
}

/** Where the same is told by the conformance suite, with two transactions or more. */
const elsewhere: Record<string, string> = {
  "read at an earlier version": "a read version that was set shows the database as it was",
  "committed version is readable and is what wrote":
    "a commit's version can be read at by the next transaction, and shows that commit",
  "get after commit": "use after the commit is refused: 2017",
  "set after commit": "use after the commit is refused: 2017",
  "only a write conflict": "explicit write conflicts count as writes, but write nothing",
  "only a write conflict conflicts with a reader": "explicit write conflicts count as writes, but write nothing",
  "snapshot read does not conflict": "snapshot reads do not conflict",
  "read of own write does not conflict": "reading a key that this transaction has set or cleared is no conflict"
}

/** The lines of the probes: a name and the answer of all, or a name and then the answer of each. */
const lines = fs.readFileSync(new URL("../fixtures/fdb-7.3.79/probes.txt", import.meta.url), "utf8").split("\n")

/** What the server has answered. */
const answerOf = (name: string): string => {
  const differing = lines.indexOf(`!! ${name}`)
  if (differing >= 0) return lines[differing + 1]!.replace(/^ +raw +/, "")
  const same = lines.find((line) => line.startsWith(`   ${name} `))
  return same === undefined ? assert.fail(`no probe is called ${name}`) : same.slice(name.length + 4).trim()
}

type Use = (tx: TransactionService) => Effect.Effect<unknown, FdbError>

const bytes = Bytes.fromString
const long = (length: number) => new Uint8Array(length).fill(0x61)
const system = (more: string, length = 0) => Bytes.concat(Bytes.fromHex(`ff${more}`), new Uint8Array(length).fill(0x61))
const end = KeyRange.all.end
const beyond = Bytes.fromHex("ff00")
const value = bytes("v")
const stamped = (length: number, offset: number) => ({ bytes: long(length), offset })

const set = (key: Uint8Array, stored = value): Use => (tx) => tx.set(key, stored)
const clear = (key: Uint8Array): Use => (tx) => tx.clear(key)
const clearRange = (begin: Uint8Array, end: Uint8Array): Use => (tx) => tx.clearRange({ begin, end })
const atomic = (key: Uint8Array, operand: Uint8Array, op: AtomicOp = "Add"): Use => (tx) => tx.atomic(op, key, operand)
const svk = (bytes: Uint8Array, offset: number, stored = value): Use => (tx) =>
  tx.setVersionstampedKey({ bytes, offset }, stored)
const svv = (length: number, offset: number, key = bytes("k")): Use => (tx) =>
  tx.setVersionstampedValue(key, stamped(length, offset))
const readConflict = (begin: Uint8Array, end: Uint8Array): Use => (tx) => tx.addReadConflictRange({ begin, end })
const writeConflict = (begin: Uint8Array, end: Uint8Array): Use => (tx) => tx.addWriteConflictRange({ begin, end })

/** Writes, and marks: answered by the code of the write, or of the commit, or `ok`. */
const writes: Record<string, Use> = {
  "set key 10000": set(long(10_000)),
  "set key 10001": set(long(10_001)),
  "set value 100000": set(bytes("k"), long(100_000)),
  "set value 100001": set(bytes("k"), long(100_001)),
  "set key 10001 value 100001": set(long(10_001), long(100_001)),
  "set \\xff": set(end),
  "set \\xfe\\xff": set(Bytes.fromHex("feff")),
  "set \\xff*10001": set(new Uint8Array(10_001).fill(0xff).fill(0xfe, 1)),
  "set \\xff a*10001": set(system("", 10_001)),
  "clear key 10001": clear(long(10_001)),
  "clear \\xff": clear(end),
  "clearRange inverted": clearRange(bytes("b"), bytes("a")),
  "clearRange to \\xff": clearRange(bytes("a"), end),
  "clearRange to \\xff\\x00": clearRange(bytes("a"), beyond),
  "clearRange inverted beyond": clearRange(Bytes.fromHex("ff01"), beyond),
  "clearRange empty at \\xff": clearRange(end, end),
  "clearRange empty beyond": clearRange(beyond, beyond),
  "clearRange long keys": clearRange(long(10_001), long(20_000)),
  "atomic key 10001": atomic(long(10_001), value),
  "atomic operand 100001": atomic(bytes("k"), long(100_001)),
  "atomic operand 100000": atomic(bytes("k"), long(100_000)),
  "atomic \\xff": atomic(end, value),
  "svk offset beyond": svk(long(20), 11),
  "svk offset negative": svk(long(20), -1),
  "svk too short": svk(long(3), 0),
  "svk 9996": svk(long(9996), 0),
  "svk 9997": svk(long(9997), 0),
  "svk \\xff gap at 0": svk(system("", 10), 0),
  "svk \\x00 gap at 0": svk(new Uint8Array(11), 0),
  "svk \\xff prefix": svk(system("", 12), 1),
  "svk value 100001": svk(long(20), 0, long(100_001)),
  "svv offset beyond": svv(20, 11),
  "svv offset negative": svv(20, -1),
  "svv 99996": svv(99_996, 0),
  "svv 99997": svv(99_997, 0),
  "svv \\xff": svv(20, 0, end),
  "read conflict inverted": readConflict(bytes("b"), bytes("a")),
  "read conflict empty": readConflict(bytes("a"), bytes("a")),
  "read conflict to \\xff": readConflict(bytes("a"), end),
  "read conflict to \\xff\\x00": readConflict(bytes("a"), beyond),
  "read conflict key \\xff": (tx) => tx.addReadConflictKey(end),
  "read conflict key 10001": (tx) => tx.addReadConflictKey(long(10_001)),
  "read conflict key 20000": (tx) => tx.addReadConflictKey(long(20_000)),
  "read conflict range 20000": readConflict(long(20_000), bytes("b")),
  "write conflict inverted": writeConflict(bytes("b"), bytes("a")),
  "write conflict empty": writeConflict(bytes("a"), bytes("a")),
  "write conflict to \\xff": writeConflict(bytes("a"), end),
  "write conflict to \\xff\\x00": writeConflict(bytes("a"), beyond),
  "write conflict key \\xff": (tx) => tx.addWriteConflictKey(end),
  "write conflict key 10001": (tx) => tx.addWriteConflictKey(long(10_001)),
  "write conflict key 20000": (tx) => tx.addWriteConflictKey(long(20_000)),
  "write conflict range 20000": writeConflict(long(20_000), bytes("b")),
  "setReadVersion 0": (tx) => tx.setReadVersion(0n),
  "setReadVersion -1": (tx) => tx.setReadVersion(-1n),
  "setReadVersion twice": (tx) => Effect.andThen(tx.setReadVersion(1n), tx.setReadVersion(1n)),
  "setReadVersion after read": (tx) => Effect.andThen(tx.get(bytes("a")), tx.setReadVersion(1n)),
  "setReadVersion 1: read": (tx) => Effect.andThen(tx.setReadVersion(1n), tx.get(bytes("a"))),
  "setReadVersion future: getReadVersion": (tx) =>
    Effect.andThen(tx.setReadVersion(100_000_000_000n), tx.get(bytes("a"))),
  "setReadVersion future: blind write": (tx) =>
    Effect.andThen(tx.setReadVersion(100_000_000_000n), tx.set(bytes("k"), value)),
  "setReadVersion future: write and read conflict": (tx) =>
    Effect.all([
      tx.setReadVersion(100_000_000_000n),
      tx.addReadConflictKey(bytes("k")),
      tx.set(bytes("k"), value)
    ]),
  "setReadVersion 1: blind write": (tx) => Effect.andThen(tx.setReadVersion(1n), tx.set(bytes("k"), value)),
  "setReadVersion 1: write and read conflict": (tx) =>
    Effect.all([tx.setReadVersion(1n), tx.addReadConflictKey(bytes("k")), tx.set(bytes("k"), value)]),
  "setReadVersion 1: only read conflict": (tx) =>
    Effect.andThen(tx.setReadVersion(1n), tx.addReadConflictKey(bytes("k"))),
  "101 values of 100000": (tx) =>
    Effect.forEach(Array.from({ length: 101 }), (_, index) => tx.set(bytes(`k${index}`), long(100_000))),
  "99 values of 100000": (tx) =>
    Effect.forEach(Array.from({ length: 99 }), (_, index) => tx.set(bytes(`k${index}`), long(100_000))),
  "101 values of 100000 on one key": (tx) =>
    Effect.forEach(Array.from({ length: 101 }), () => tx.set(bytes("k"), long(100_000))),
  ...Object.fromEntries([60_000, 80_000, 100_000, 150_000, 200_000, 250_000].map((count): [string, Use] => [
    `${count} sets of 10+10 bytes`,
    (tx) =>
      Effect.forEach(
        Array.from({ length: count }),
        (_, index) => tx.set(bytes(String(index).padStart(10, "0")), long(10)),
        { discard: true }
      )
  ])),
  "svv then get": (tx) => Effect.andThen(svv(20, 0)(tx), tx.get(bytes("k"))),
  "svv then commit": svv(20, 0),
  "svv set get": (tx) => Effect.all([svv(20, 0)(tx), tx.set(bytes("k"), value), tx.get(bytes("k"))])
}

/** The code that the server's answer comes to: that of the call itself, or of what is asked next, or of the commit. */
const outcome = (answer: string): string => {
  // What the read in between gives is not compared: a versionstamp that is under way may be in its place.
  const codes = answer.replace(/^ok; read 1036; commit 1036$/, "ok").match(/\b[12]\d{3}\b(?!\d)/)
  return codes === null ? "ok" : codes[0]
}

/** Reads of a database that holds nothing but a key as long as keys may be. */
const readsOf = (maxKeyLength: number): Record<string, (tx: TransactionService) => Effect.Effect<string, FdbError>> => {
  const { firstGreaterOrEqual, firstGreaterThan, move } = KeySelector
  const get = (key: Uint8Array) => (tx: TransactionService) =>
    Effect.map(tx.get(key), (value) => value === undefined ? "none" : "some")
  const getKey = (selector: KeySelector.KeySelector) => (tx: TransactionService) =>
    Effect.map(tx.getKey(selector), (key) =>
      key.length === maxKeyLength
        ? "10000 bytes 616161616161.."
        : `'${Bytes.toPrintable(key)}'`)
  const getRange =
    (begin: Uint8Array | KeySelector.KeySelector, end: Uint8Array | KeySelector.KeySelector, options = {}) =>
    (tx: TransactionService) =>
      Effect.map(
        tx.getRange({ begin, end }, options),
        (pairs) => pairs.length === 0 ? "empty" : "10000 bytes 616161616161..='v'"
      )
  return {
    "get key 10001": get(long(10_001)),
    "get \\xff": get(end),
    "get \\xff a*10001": get(system("", 10_001)),
    "snapshot get \\xff": (tx) => Effect.map(tx.snapshot.get(end), String),
    "getKey \\xff": getKey(firstGreaterOrEqual(end)),
    "getKey \\xff orEqual": getKey(firstGreaterThan(end)),
    "getKey \\xff\\x00": getKey(firstGreaterOrEqual(beyond)),
    "getKey long": getKey(KeySelector.lastLessThan(long(20_000))),
    "getKey offset 2^31-1": getKey(move(firstGreaterOrEqual(bytes("a")), 2 ** 31 - 2)),
    "getKey offset -2^31": getKey(move(firstGreaterOrEqual(bytes("a")), -(2 ** 31) - 1)),
    "getRange to \\xff": getRange(bytes("b"), end),
    "getRange to \\xff\\x00": getRange(bytes("b"), beyond),
    "getRange from \\xff\\x00": getRange(beyond, beyond),
    "getRange inverted": getRange(bytes("b"), bytes("a")),
    "getRange inverted reverse": getRange(bytes("b"), bytes("a"), { reverse: true }),
    "getRange limit 2^31-1": getRange(bytes("a"), bytes("b"), { limit: 2 ** 31 - 1 }),
    "getRange end \\xff orEqual": getRange(bytes("b"), firstGreaterThan(end))
  }
}

/** The rest, each told in the server's words. */
const stories: Record<string, Effect.Effect<string, FdbError, Database>> = (() => {
  const run = <A>(use: (tx: TransactionService) => Effect.Effect<A, FdbError>, options: TransactionOptions = {}) =>
    Database.transact(Transaction.use(use), { retryLimit: 0, ...options })
  const k = bytes("k")
  const lengthOf = (value: Uint8Array | undefined) => value === undefined ? "none" : String(value.length)
  const append = (before: number, ...lengths: ReadonlyArray<number>) =>
    Effect.gen(function*() {
      yield* run((tx) => before === 0 ? tx.clear(k) : tx.set(k, long(before)))
      const own = yield* run((tx) =>
        Effect.andThen(
          Effect.forEach(lengths, (length) => tx.atomic("AppendIfFits", k, long(length)), { discard: true }),
          tx.get(k)
        )
      )
      const committed = yield* run((tx) => tx.get(k))
      return { own: lengthOf(own), committed: lengthOf(committed) }
    })
  const stories: Record<string, Effect.Effect<string, FdbError, Database>> = {
    "clear key 10001 then write": Effect.gen(function*() {
      yield* run((tx) => Effect.andThen(tx.clear(long(10_001)), tx.set(k, bytes("1"))))
      return `ok '${Bytes.toPrintable((yield* run((tx) => tx.get(k)))!)}'`
    }),
    "clearRange long begin clears": Effect.gen(function*() {
      yield* run((tx) => Effect.andThen(tx.set(bytes("b"), value), tx.set(bytes("c"), value)))
      yield* run((tx) => tx.clearRange({ begin: long(20_000), end: bytes("d") }))
      const values = yield* run((tx) => tx.getAll([bytes("b"), bytes("c")]))
      return values.map((value) => value === undefined ? "none" : "some").join(" ")
    }),
    "read-only commit": run((tx) => Effect.andThen(tx.get(k), Effect.all([tx.committedVersion, tx.versionstamp]))).pipe(
      Effect.flatMap(([version, stamp]) => Effect.all([version, Effect.flip(stamp)])),
      Effect.map(([version, error]) => `ok version ${version} stamp ${(error as FdbError).code}`),
      Effect.orDie
    ),
    "svv set commit": Effect.gen(function*() {
      yield* run((tx) => Effect.andThen(svv(20, 0)(tx), tx.set(k, bytes("plain"))))
      return `ok '${Bytes.toPrintable((yield* run((tx) => tx.get(k)))!)}'`
    }),
    "svv clear get": Effect.gen(function*() {
      const own = yield* run((tx) => Effect.andThen(Effect.andThen(svv(20, 0)(tx), tx.clear(k)), tx.get(k)))
      const stored = yield* run((tx) => tx.get(k))
      return `${own === undefined ? "none" : "some"} ok ${stored === undefined ? "none" : "some"}`
    }),
    "svv add commit": Effect.gen(function*() {
      yield* run((tx) =>
        Effect.andThen(tx.setVersionstampedValue(k, stamped(10, 0)), tx.atomic("ByteMax", k, Uint8Array.of(0xff)))
      )
      return `ok '${Bytes.toPrintable((yield* run((tx) => tx.get(k)))!)}'`
    }),
    "AppendIfFits twice, second alone would fit": Effect.map(
      append(50_000, 50_001, 30_000),
      ({ committed, own }) => `own ${own} committed ${committed}`
    ),
    "AppendIfFits twice same length": Effect.map(
      append(50_000, 30_000, 30_000),
      ({ committed }) => `committed ${committed}`
    ),
    "AppendIfFits 70000 then 70000 to nothing": Effect.map(
      append(0, 70_000, 70_000),
      ({ committed }) => `committed ${committed}`
    )
  }
  stories["set empty key, get"] = Effect.gen(function*() {
    const empty = new Uint8Array(0)
    const text = (bytes: Uint8Array | undefined) => bytes === undefined ? "none" : `'${Bytes.toPrintable(bytes)}'`
    const own = yield* run((tx) => Effect.andThen(tx.set(empty, bytes("e")), tx.get(empty)))
    const stored = yield* run((tx) => tx.get(empty))
    const [pair] = yield* run((tx) => tx.getRange(KeyRange.all))
    const first = yield* run((tx) => tx.getKey(KeySelector.firstGreaterOrEqual(empty)))
    const last = yield* run((tx) => tx.getKey(KeySelector.lastLessThan(bytes("a"))))
    return `${text(own)} ${text(stored)} ${text(pair!.key)}=${text(pair!.value)} getKey ${text(first)} last<='${
      text(last)
    }'`
  })
  stories["a refused read does not fail the commit"] = run((tx) =>
    Effect.gen(function*() {
      const answer = yield* Effect.match(tx.get(end), {
        onFailure: (error) => String(error.code),
        onSuccess: () => "some"
      })
      yield* tx.set(k, value)
      return `${answer} ok`
    })
  )
  stories["versionstamps of two svk in one transaction"] = Effect.gen(function*() {
    yield* run((tx) =>
      Effect.forEach(["one", "two"], (value) => tx.setVersionstampedKey({ bytes: long(10), offset: 0 }, bytes(value)))
    )
    const pairs = yield* run((tx) => tx.getRange(KeyRange.all))
    return pairs.map(({ value }) => `'${Bytes.toPrintable(value)}'`).join(" ")
  })
  for (const fill of ["00", "61", "ff"]) {
    for (const isVersioned of [false, true]) {
      const name = `svk fill ${fill}${isVersioned ? ", read version known" : ""}`
      const p = bytes("p")
      const low = Bytes.concat(p, new Uint8Array(10))
      const appended = (use: (tx: TransactionService) => Effect.Effect<void, FdbError>) =>
        Effect.gen(function*() {
          yield* run((tx) => tx.set(low, bytes("low")))
          yield* run((tx) =>
            Effect.gen(function*() {
              if (isVersioned) yield* tx.readVersion
              yield* tx.setVersionstampedKey(
                { bytes: Bytes.concat(p, Bytes.fromHex(fill.repeat(10))), offset: 1 },
                bytes("new")
              )
              yield* use(tx)
            })
          )
          return yield* run((tx) => tx.getRange({ begin: p, end: bytes("q") }))
        })
      stories[`${name}: append and clear the whole prefix range [p,p\\xff)`] = Effect.map(
        appended((tx) => tx.clearRange({ begin: p, end: Bytes.fromHex("70ff") })),
        (pairs) => `ok ${pairs.length} left`
      )
      stories[`${name}: read in its prefix`] = Effect.gen(function*() {
        yield* run((tx) => tx.set(low, bytes("low")))
        const answers: Array<string> = []
        for (
          const [place, key] of [["low", low], ["mid", Bytes.concat(p, Bytes.fromHex("fe".repeat(10)))], [
            "high",
            Bytes.fromHex("70ffffffffffffffffffffff")
          ]] as const
        ) {
          const answer = run((tx) =>
            Effect.gen(function*() {
              if (isVersioned) yield* tx.readVersion
              yield* tx.setVersionstampedKey(
                { bytes: Bytes.concat(p, Bytes.fromHex(fill.repeat(10))), offset: 1 },
                bytes("new")
              )
              const value = yield* tx.get(key)
              return value === undefined ? "ok" : `'${Bytes.toPrintable(value)}'`
            })
          )
          answers.push(`${place} ${yield* Effect.catch(answer, (error) => Effect.succeed(String(error.code)))}`)
        }
        return answers.join(" ")
      })
      stories[`${name}: append and trim all that is older`] = Effect.map(
        appended((tx) => tx.clearRange({ begin: p, end: Bytes.concat(p, Bytes.fromHex("00000000000000010000")) })),
        (pairs) => `ok ${pairs.map(({ value }) => `'${Bytes.toPrintable(value)}'`).join(" ")} left`
      )
    }
  }
  return stories
})()

const codeOf = (effect: Effect.Effect<unknown, FdbError, Database>) =>
  Effect.match(effect, { onFailure: (error) => String(error.code), onSuccess: () => "ok" })

/**
 * Asks an engine all probes, each of a new database. `notAsked`: which of them it is not asked, and why. Where its keys are
 * shorter than FoundationDB's, the longest stands for the one of 10,000 bytes.
 */
export const probes = <E>(
  engine: string,
  layer: Layer.Layer<Database, E>,
  notAsked: Record<string, string> = {},
  maxKeyLength = 10_000
): void => {
  const reads = readsOf(maxKeyLength)
  const fresh = <A>(effect: Effect.Effect<A, FdbError, Database>) => Effect.provide(effect, layer, { local: true })
  const askedOf = <A>(probes: Record<string, A>) =>
    Object.entries(probes).filter(([name]) => notAsked[name] === undefined)

  describe(`${engine}: probes of a FoundationDB server`, () => {
    it.live.each(askedOf(writes))("%s", ([name, use]) =>
      Effect.gen(function*() {
        const code = yield* codeOf(Database.transact(Transaction.use(use), { retryLimit: 0, timeout: "1 minute" }))
        assert.strictEqual(code, outcome(answerOf(name)))
      }).pipe(fresh))

    it.live.each(askedOf(reads))("%s", ([name, use]) =>
      Effect.gen(function*() {
        yield* Database.transact(Transaction.use((tx) => tx.set(long(maxKeyLength), value)))
        const answer = yield* Effect.catch(
          Database.transact(Transaction.use(use)),
          (error) => Effect.succeed(String(error.code))
        )
        assert.strictEqual(answer, answerOf(name).split(";")[0])
      }).pipe(fresh))

    it.live.each(askedOf(stories))("%s", ([name, story]) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* story).replace(/ +/g, " "), answerOf(name).replace(/ +/g, " "))
      }).pipe(fresh))

    it("all others are excluded by name, or told by the conformance suite", () => {
      const asked = [writes, reads, stories, excluded, elsewhere].flatMap((probes) => Object.keys(probes))
      const isAsked = (line: string) => asked.some((name) => line === `!! ${name}` || line.startsWith(`   ${name} `))
      const left = lines.filter((line) => /^(!!| {3}\S)/.test(line) && !isAsked(line))
      assert.deepStrictEqual(left, [])
      assert.deepStrictEqual(Object.keys(notAsked).filter((name) => !asked.includes(name)), [])
    })
  })
}
