/** The harness of the conformance suite: key spaces, interleaved transactions, scripts and assertions. */
import { assert, type Vitest } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Bytes from "../../Bytes.ts"
import { Database } from "../../Database.ts"
import type { FdbError } from "../../FdbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import * as KeySelector from "../../KeySelector.ts"
import type { AtomicOp } from "../../Mutation.ts"
import {
  type KeyValue,
  type RangeOptions,
  type Reads,
  Transaction,
  type TransactionService
} from "../../Transaction.ts"
import type { TransactionOptions } from "../../TransactionOptions.ts"

/** The settings of an engine's suite. */
export interface Settings {
  readonly maxKeyLength: number
  readonly runs: number
  readonly seed: number | undefined
  readonly selectorsCountCleared: boolean
}

/** Declares a test. Each test has its own part of the key space. */
export type Test = (
  name: string,
  body: (space: Space) => Generator<Effect.Effect<any, any, Database | Scope.Scope>, void, never>
) => void

/** Declares the tests of a part of the suite. */
export type Tests = (test: Test, settings: Settings, it: Vitest.MethodsNonLive<Database>) => void

/** Declares the tests of a part with `it`. */
export const declare = (it: Vitest.MethodsNonLive<Database>, settings: Settings) => (tests: Tests): void =>
  tests(
    (name, body) => it.effect(name, () => Effect.flatMap(makeSpace, (space) => Effect.gen(() => body(space)))),
    settings,
    it
  )

/** The keys of one test. */
export interface Space {
  /** The key of a name. */
  readonly key: (name: string) => Uint8Array
  /**
   * A key selector: `>=b` selects the first key at or after `b`, `<b` the last key before it, `>b+2` the first key after it, moved
   * by two keys. A name alone is the same as with `>=`.
   */
  readonly selector: (text: string) => KeySelector.KeySelector
  readonly range: KeyRange.KeyRange
  /** The name of a key: `"<"` for a key before this space, `">"` for a key after it. */
  readonly nameOf: (key: Uint8Array) => string
}

const selectors: Record<string, (key: Uint8Array) => KeySelector.KeySelector> = {
  "": KeySelector.firstGreaterOrEqual,
  ">=": KeySelector.firstGreaterOrEqual,
  ">": KeySelector.firstGreaterThan,
  "<=": KeySelector.lastLessOrEqual,
  "<": KeySelector.lastLessThan
}

/** Makes a part of the key space that nobody else uses. It is cleared when the scope closes. */
export const makeSpace: Effect.Effect<Space, FdbError, Database | Scope.Scope> = Effect.gen(function*() {
  const chance = [yield* Random.next, yield* Random.next].map((fraction) => fraction.toString(36).slice(2))
  const prefix = Bytes.fromString(`conformance/${chance.join("")}/`)
  const range = KeyRange.fromPrefix(prefix)
  yield* Effect.acquireRelease(
    Effect.void,
    () => Effect.orDie(Database.transact(Transaction.use((tx) => tx.clearRange(range)), { idempotent: true }))
  )
  const key = (name: string) => Bytes.concat(prefix, Bytes.fromString(name))
  return {
    key,
    selector: (text) => {
      const [, relation = "", name = "", offset = "0"] = /^([<>]=?)?(.*?)([+-]\d+)?$/s.exec(text)!
      return KeySelector.move(selectors[relation]!(key(name)), Number(offset))
    },
    range,
    nameOf: (key) =>
      KeyRange.contains(range, key)
        ? new TextDecoder().decode(key.subarray(prefix.length))
        : Bytes.compare(key, range.begin) < 0
        ? "<"
        : ">"
  }
})

/** A transaction whose operations are called from outside its body, so that several transactions can be interleaved. */
export interface Session extends TransactionService {
  readonly commit: Effect.Effect<void, FdbError>
  /** Fails the body, which discards all writes. */
  readonly abandon: Effect.Effect<void>
}

const abandoned = Symbol("abandoned")

/** Begins a transaction without retries. */
export const begin = Effect.fnUntraced(function*(options: TransactionOptions = {}) {
  const ready = yield* Deferred.make<TransactionService>()
  const ending = yield* Deferred.make<void, typeof abandoned>()
  const body = Transaction.use((tx) => Effect.andThen(Deferred.succeed(ready, tx), Deferred.await(ending)))
  const fiber = yield* Effect.forkChild(Database.transact(body, { retryLimit: 0, ...options }))
  const tx = yield* Deferred.await(ready)
  const session: Session = {
    ...tx,
    commit: Effect.andThen(
      Deferred.succeed(ending, undefined),
      Effect.catchIf(Fiber.join(fiber), (error) => error === abandoned, () => Effect.die("it was abandoned"))
    ) as Effect.Effect<void, FdbError>,
    abandon: Effect.andThen(Deferred.fail(ending, abandoned), Effect.asVoid(Fiber.await(fiber)))
  }
  return session
})

/** Runs an operation, or a generator of several, in its own transaction. */
export const run: {
  <A, E, R>(use: (tx: TransactionService) => Effect.Effect<A, E, R>, options?: TransactionOptions): Transacted<A, E, R>
  <Eff extends Effect.Effect<any, any, any>, A>(
    use: (tx: TransactionService) => Generator<Eff, A, never>,
    options?: TransactionOptions
  ): Transacted<A, Effect.Error<Eff>, Effect.Services<Eff>>
} = (use: (tx: TransactionService) => any, options?: TransactionOptions) =>
  Database.transact(
    Transaction.use((tx) => {
      const used = use(tx)
      return Effect.isEffect(used) ? used : Effect.gen(() => used)
    }),
    options
  ) as never

type Transacted<A, E, R> = Effect.Effect<A, E | FdbError, Database | Exclude<R, Transaction>>

/** Runs an operation in its own transaction, and returns the version of its commit. */
export const commitVersion = (
  use: (tx: TransactionService) => Effect.Effect<unknown, FdbError>,
  options?: TransactionOptions
) => Effect.flatten(run((tx) => Effect.andThen(use(tx), tx.committedVersion), options))

/** Decodes a value as text. */
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)

/** Encodes text as a value. */
export const bytes = Bytes.fromString

/** Writes values by name in its own transaction. */
export const write = (space: Space, values: Record<string, string>) =>
  run(function*(tx) {
    for (const name in values) yield* tx.set(space.key(name), bytes(values[name]!))
  })

/** Reads the value of a name in its own transaction. */
export const read = (space: Space, name: string) => Effect.map(run((tx) => tx.get(space.key(name))), text)

/** Reads all values of the space by name. */
export const contents = (space: Space) =>
  Effect.map(
    run((tx) => tx.getRange(space.range)),
    (pairs) => Object.fromEntries(pairs.map(({ key, value }) => [space.nameOf(key), text(value)]))
  )

/**
 * The steps of a script, separated by `; `, for a transaction. Returns what the last step reads as text, pairs as `a1 b2`.
 *
 * - `get a`, `find >a+1`, `range a..<d`, `range a..d 2` with a limit, `range a..d 0 reverse`; after `snapshot`, a snapshot read
 * - `set a 1`, `clear a`, `clear a..d`, `Add a 1` and every other atomic operation
 * - `readConflict a`, `readConflict a..d`, `writeConflict a`, `writeConflict a..d`
 *
 * `find` and `range` take selectors, see {@link Space.selector}.
 */
export const steps =
  (space: Space, script: string) => (tx: TransactionService): Effect.Effect<string | undefined, FdbError> =>
    Effect.map(
      Effect.forEach(script.split("; "), (step): Effect.Effect<string | undefined | void, FdbError> => {
        const isSnapshot = step.startsWith("snapshot ")
        const reads = isSnapshot ? tx.snapshot : tx
        const [op = "", target = "", argument = "", order] = step.split(" ").slice(isSnapshot ? 1 : 0)
        const [from = "", to] = target.split("..")
        const key = space.key(from)
        const range = to === undefined ? KeyRange.single(key) : { begin: key, end: space.key(to) }
        switch (op) {
          case "get":
            return Effect.map(reads.get(key), text)
          case "find":
            return Effect.map(reads.getKey(space.selector(target)), space.nameOf)
          case "range":
            return Effect.map(
              reads.getRange(
                { begin: space.selector(from), end: space.selector(to!) },
                { limit: Number(argument), reverse: order === "reverse" }
              ),
              (pairs) => pairsToText(space, pairs)
            )
          case "set":
            return tx.set(key, bytes(argument))
          case "clear":
            return to === undefined ? tx.clear(key) : tx.clearRange(range)
          case "readConflict":
            return to === undefined ? tx.addReadConflictKey(key) : tx.addReadConflictRange(range)
          case "writeConflict":
            return to === undefined ? tx.addWriteConflictKey(key) : tx.addWriteConflictRange(range)
          default:
            return tx.atomic(op as AtomicOp, key, bytes(argument))
        }
      }),
      (results) => results.at(-1) ?? undefined
    )

const pairsToText = (space: Space, pairs: ReadonlyArray<KeyValue>): string =>
  pairs.map(({ key, value }) => `${space.nameOf(key)}${text(value)}`).join(" ")

/** Reads the range between two selectors as an array and as a stream, which must agree. Gives names with values: `a1 b2`. */
export const readRange = (space: Space, reads: Reads, begin: string, end: string, options?: RangeOptions) =>
  Effect.gen(function*() {
    const range = { begin: space.selector(begin), end: space.selector(end) }
    const pairs = yield* reads.getRange(range, options)
    assert.deepStrictEqual(yield* Stream.runCollect(reads.streamRange(range, options)), pairs)
    return pairsToText(space, pairs)
  })

/** Asserts that an effect fails with an error code. */
export const failsWith = <A, R>(effect: Effect.Effect<A, FdbError, R>, code: number) =>
  Effect.flatMap(
    Effect.flip(effect),
    (error) =>
      Effect.sync(() => {
        assert.strictEqual(error._tag, "FdbError")
        assert.strictEqual(error.code, code, error.message)
        return error
      })
  )

/** Asserts that a transaction of an operation, or of a generator of several, fails with an error code. */
export const refused = (
  code: number,
  use: (tx: TransactionService) =>
    | Effect.Effect<unknown, FdbError, Scope.Scope>
    | Generator<Effect.Effect<any, FdbError, Database | Scope.Scope>, unknown, never>,
  options?: TransactionOptions
) => failsWith(run(use as (tx: TransactionService) => Effect.Effect<unknown, FdbError, Scope.Scope>, options), code)

/** Asserts that the commit fails with a conflict. */
export const conflicting = (session: Session) => failsWith(session.commit, 1020)

/** Waits for an event, long enough for a busy machine. */
export const soon = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.timeoutOrElse(effect, { duration: "20 seconds", orElse: () => Effect.die("it did not happen") })
