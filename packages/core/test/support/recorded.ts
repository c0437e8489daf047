/**
 * What a FoundationDB server has answered to random transactions (see `fixtures/fdb-7.3.79/README.md`), and what an engine
 * answers to the same.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as zlib from "node:zlib"
import {
  type AtomicOp,
  Bytes,
  Database,
  type FdbError,
  KeyRange,
  type KeySelector,
  type OptimisticEngine,
  Transaction,
  type TransactionService,
  type Versionstamp
} from "../../src/index.ts"
import { begin } from "../../src/internal/conformance/harness.ts"

const Selector = Schema.Struct({ key: Schema.String, orEqual: Schema.Boolean, offset: Schema.Int })

const Operation = Schema.Union([
  Schema.Struct({ op: Schema.Literal("get"), key: Schema.String, snapshot: Schema.Boolean }),
  Schema.Struct({ op: Schema.Literal("getKey"), selector: Selector, snapshot: Schema.Boolean }),
  Schema.Struct({
    op: Schema.Literal("getRange"),
    begin: Selector,
    end: Selector,
    limit: Schema.Int,
    reverse: Schema.Boolean,
    snapshot: Schema.Boolean
  }),
  Schema.Struct({ op: Schema.Literal("set"), key: Schema.String, value: Schema.String }),
  Schema.Struct({ op: Schema.Literal("clear"), key: Schema.String }),
  Schema.Struct({ op: Schema.Literal("clearRange"), begin: Schema.String, end: Schema.String }),
  Schema.Struct({ op: Schema.Literal("atomic"), type: Schema.String, key: Schema.String, value: Schema.String }),
  Schema.Struct({
    op: Schema.Literal("conflictRange"),
    kind: Schema.Literals(["read", "write"]),
    begin: Schema.String,
    end: Schema.String
  }),
  Schema.Struct({ op: Schema.Literal("conflictKey"), kind: Schema.Literals(["read", "write"]), key: Schema.String }),
  Schema.Struct({ op: Schema.Literal("svv"), key: Schema.String, before: Schema.String, after: Schema.String }),
  Schema.Struct({
    op: Schema.Literal("svk"),
    before: Schema.String,
    after: Schema.String,
    fill: Schema.String,
    value: Schema.String
  })
])

/** What a transaction does. */
export type Operation = typeof Operation.Type

const Answer = Schema.Struct({
  /** What each operation gave. */
  out: Schema.Array(Schema.NullOr(Schema.String)),
  /** The conflict ranges before the commit. */
  read: Schema.String,
  write: Schema.String,
  commit: Schema.String,
  /** What the database holds afterwards. */
  after: Schema.String
})

/** What was answered to a transaction. */
export type Answer = typeof Answer.Type

const Recorded = Schema.Struct({
  seed: Schema.Int,
  preload: Schema.Array(Schema.Tuple([Schema.String, Schema.String])),
  ops: Schema.Array(Operation),
  other: Schema.Array(Schema.Struct({
    set: Schema.optionalKey(Schema.String),
    value: Schema.optionalKey(Schema.String),
    clear: Schema.optionalKey(Schema.Tuple([Schema.String, Schema.String]))
  })),
  marker: Schema.Boolean,
  answer: Answer
})

/** A random transaction, and what the server has answered. */
export type Recorded = typeof Recorded.Type

/** A random transaction by itself. */
export type Unanswered = Omit<Recorded, "answer">

const directory = new URL("../fixtures/fdb-7.3.79/", import.meta.url)

const parse = Schema.decodeUnknownSync(Schema.fromJsonString(Recorded))

/** The transactions of a file. */
const load = (name: "transactions" | "versionstamps"): ReadonlyArray<Recorded> =>
  zlib.gunzipSync(fs.readFileSync(new URL(`${name}.jsonl.gz`, directory))).toString().trim().split("\n").map((line) =>
    parse(line)
  )

/** By the names of FoundationDB. */
export const atomicOps: Record<string, AtomicOp> = {
  ADD: "Add",
  BIT_AND: "BitAnd",
  BIT_OR: "BitOr",
  BIT_XOR: "BitXor",
  APPEND_IF_FITS: "AppendIfFits",
  MAX: "Max",
  MIN: "Min",
  BYTE_MAX: "ByteMax",
  BYTE_MIN: "ByteMin"
}

const { fromHex, toHex } = Bytes

/** As core has it. */
export const toSelector = ({ key, offset, orEqual }: typeof Selector.Type): KeySelector.KeySelector => ({
  key: fromHex(key),
  orEqual,
  offset
})

const stamped = (before: string, after: string, fill: string): Versionstamp.Versionstamped => ({
  bytes: fromHex(before + fill.repeat(10) + after),
  offset: before.length / 2
})

const ofPairs = (pairs: ReadonlyArray<{ readonly key: Uint8Array; readonly value: Uint8Array }>): string =>
  pairs.map(({ key, value }) => `${toHex(key)}=${toHex(value)}`).join(" ")

const ofRanges = (ranges: ReadonlyArray<KeyRange.KeyRange>): string =>
  ranges.map(({ begin, end }) => `[${toHex(begin)},${toHex(end)})`).join(" ")

const perform = (tx: TransactionService, operation: Operation): Effect.Effect<string | null, FdbError> => {
  switch (operation.op) {
    case "get":
      return Effect.map(
        (operation.snapshot ? tx.snapshot : tx).get(fromHex(operation.key)),
        (value) => value === undefined ? "none" : toHex(value)
      )
    case "getKey":
      return Effect.map((operation.snapshot ? tx.snapshot : tx).getKey(toSelector(operation.selector)), toHex)
    case "getRange":
      return Effect.map(
        (operation.snapshot ? tx.snapshot : tx).getRange(
          { begin: toSelector(operation.begin), end: toSelector(operation.end) },
          { limit: operation.limit, reverse: operation.reverse }
        ),
        ofPairs
      )
    case "set":
      return Effect.as(tx.set(fromHex(operation.key), fromHex(operation.value)), null)
    case "clear":
      return Effect.as(tx.clear(fromHex(operation.key)), null)
    case "clearRange":
      return Effect.as(tx.clearRange({ begin: fromHex(operation.begin), end: fromHex(operation.end) }), null)
    case "atomic":
      return Effect.as(
        tx.atomic(atomicOps[operation.type]!, fromHex(operation.key), fromHex(operation.value)),
        null
      )
    case "conflictRange": {
      const range = { begin: fromHex(operation.begin), end: fromHex(operation.end) }
      return Effect.as(
        operation.kind === "read" ? tx.addReadConflictRange(range) : tx.addWriteConflictRange(range),
        null
      )
    }
    case "conflictKey": {
      const key = fromHex(operation.key)
      return Effect.as(operation.kind === "read" ? tx.addReadConflictKey(key) : tx.addWriteConflictKey(key), null)
    }
    case "svv":
      return Effect.as(
        tx.setVersionstampedValue(fromHex(operation.key), stamped(operation.before, operation.after, "00")),
        null
      )
    case "svk":
      return Effect.as(
        tx.setVersionstampedKey(stamped(operation.before, operation.after, operation.fill), fromHex(operation.value)),
        null
      )
  }
}

/** Runs one operation, and gives what it has answered or its error. */
const orError = <A extends string | null>(effect: Effect.Effect<A, FdbError>): Effect.Effect<A | string> =>
  Effect.catch(effect, (error) => Effect.succeed(`ERROR ${error.code}`))

const hexVersion = (version: bigint): string => version.toString(16).padStart(16, "0")

/** The server's answer, with its read version and no more than what every engine has to answer. */
const expected = ({ answer }: Recorded): Answer => {
  // The versions of that server all begin so.
  const version = /00000000(?:97|98)[0-9a-f]{6}(?=0000)/g
  return {
    ...answer,
    read: answer.read.replace(version, "<version>"),
    write: answer.write.replace(version, "<version>")
  }
}

/** What an engine answers. The database is emptied first. */
export const answer = Effect.fnUntraced(function*(
  engine: OptimisticEngine.OptimisticEngine,
  recorded: Unanswered
) {
  let latest: OptimisticEngine.OptimisticTransaction | undefined
  const database = Database.fromEngine({ ...engine, begin: (options) => latest = engine.begin(options) })
  const transact = <A>(use: (tx: TransactionService) => Effect.Effect<A, FdbError>) =>
    database.transact(Transaction.use(use))
  yield* transact(Effect.fnUntraced(function*(tx) {
    yield* tx.clearRange(KeyRange.all)
    for (const [key, value] of recorded.preload) yield* tx.set(fromHex(key), fromHex(value))
  }))
  const session = yield* Effect.provideService(begin(), Database, database)
  const attempt = latest!
  const version = yield* session.readVersion
  const stamp = yield* session.versionstamp
  const out: Array<string | null> = []
  for (const operation of recorded.ops) out.push(yield* orError(perform(session, operation)))
  const { read, write } = attempt.conflictRanges
  // A read that has failed fails what the client tells of the ranges that were read, as it fails the commit.
  const failed = out.find((each) => each?.startsWith("ERROR") === true)
  yield* transact((tx) =>
    Effect.forEach(recorded.other, ({ clear, set, value }) =>
      clear === undefined
        ? tx.set(fromHex(set!), fromHex(value!))
        : tx.clearRange({ begin: fromHex(clear[0]), end: fromHex(clear[1]) }), { discard: true })
  )
  if (recorded.marker) yield* session.set(fromHex("7a7a"), fromHex("6d"))
  const commit = yield* orError(Effect.as(session.commit, "ok"))
  const committed = yield* orError(Effect.map(stamp, toHex))
  const after = ofPairs(yield* transact((tx) => tx.getRange(KeyRange.all)))
  const told = (ranges: ReadonlyArray<KeyRange.KeyRange>) =>
    ofRanges(ranges).replaceAll(hexVersion(version), "<version>")
  return {
    out,
    read: failed ?? told(read),
    write: told(write),
    commit,
    after: committed.startsWith("ERROR") ? after : after.replaceAll(committed, "<stamp>")
  } satisfies Answer
}, Effect.scoped)

/** Runs all transactions of a file, and gives the seeds of those to which an engine answers otherwise. */
const differing = Effect.fnUntraced(function*(
  engine: OptimisticEngine.OptimisticEngine,
  transactions: ReadonlyArray<Recorded>
) {
  const seeds: Array<number> = []
  for (const recorded of transactions) {
    if (!Equal.equals(yield* answer(engine, recorded), expected(recorded))) seeds.push(recorded.seed)
  }
  return seeds
})

/** Declares the tests that hold an engine against the recorded transactions, or against every so many of them. */
export const recordedTransactions = <E>(
  makeEngine: Effect.Effect<OptimisticEngine.OptimisticEngine, E, Scope.Scope>,
  every = 1
): void =>
  describe.each(["transactions", "versionstamps"] as const)("recorded %s", (name) => {
    it.live("are answered as by a FoundationDB server, with its conflict ranges, its outcome and its data", () =>
      Effect.gen(function*() {
        const engine = yield* makeEngine
        const transactions = load(name).filter((_, i) => i % every === 0)
        const [first] = yield* differing(engine, transactions)
        const recorded = transactions.find(({ seed }) => seed === first)
        if (recorded === undefined) return
        assert.deepStrictEqual(yield* answer(engine, recorded), expected(recorded), `seed ${first}`)
      }))
  })
