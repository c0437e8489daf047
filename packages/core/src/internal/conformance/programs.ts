/** Random programs of several transactions, and their comparison with the model. */
import { assert } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "../../Atomic.ts"
import * as Bytes from "../../Bytes.ts"
import type { FdbError } from "../../FdbError.ts"
import * as KeySelector from "../../KeySelector.ts"
import type { KeyValue, TransactionService } from "../../Transaction.ts"
import { begin, commitVersion, makeSpace, run, type Session, type Space } from "./harness.ts"
import * as model from "./model.ts"

/** One operation of a transaction. */
export type Step =
  | model.Read
  | model.Write
  | { readonly op: "readConflict" | "writeConflict"; readonly begin: number; readonly end: number }
  | { readonly op: "readConflictKey" | "writeConflictKey"; readonly key: number }
  /** Reads at the version of one of the commits so far, if nothing was read yet. */
  | { readonly op: "readAt"; readonly commit: number }
  | { readonly op: "commit" }

/** A step of an open transaction. After its commit, the number belongs to a new transaction. */
export interface Turn {
  readonly transaction: number
  readonly step: Step
}

// ---------------------------------------------------------------------------------------------------------------------
// Generation

const integer = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const boolean = Arbitrary.schema(Schema.Boolean)

/** One of several with equal probability. A repeated choice is more likely. */
const oneOf = <A>(...choices: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(integer(0, choices.length - 1), (index) => choices[index]!)

const constants = <const A>(...values: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(integer(0, values.length - 1), (index) => values[index]!)

const key = integer(model.firstKey, model.endKey - 1)
const value = constants("", "01", "02", "ff", "0102", "ffff")

const border = Arbitrary.map(Arbitrary.all([key, integer(0, 4)]), ([begin, length]) => ({
  begin,
  end: Math.min(model.endKey, begin + length)
}))

const selector: Arbitrary.Arbitrary<model.Selector> = Arbitrary.all({ key, orEqual: boolean, offset: integer(-1, 3) })

const plain: Arbitrary.Arbitrary<model.Selector> = Arbitrary.map(
  integer(model.firstKey, model.endKey),
  (key) => ({ key, orEqual: false, offset: 1 })
)

const op = <const Op extends Step["op"]>(op: Op) => Arbitrary.Constant(op)
const get = Arbitrary.all({ op: op("get"), key, snapshot: boolean })
const getKey = Arbitrary.all({ op: op("getKey"), selector, snapshot: boolean })
const getRange = Arbitrary.all({
  op: op("getRange"),
  begin: oneOf(plain, plain, selector),
  end: oneOf(plain, plain, selector),
  limit: constants(0, 0, 1, 2, 3),
  reverse: boolean,
  stream: boolean,
  snapshot: boolean
})
const set = Arbitrary.all({ op: op("set"), key, value })
const clear = Arbitrary.all({ op: op("clear"), key })
const clearRange = Arbitrary.map(border, (range) => ({ op: "clearRange" as const, ...range }))
const atomic = Arbitrary.all({ op: op("atomic"), atomic: constants(...Atomic.ops), key, value })
const conflictKey = Arbitrary.all({ op: constants("readConflictKey", "writeConflictKey"), key })
const conflictRange = Arbitrary.map(
  Arbitrary.all([constants("readConflict", "writeConflict"), border]),
  ([op, range]) => ({ op, ...range })
)
const readAt = Arbitrary.all({ op: op("readAt"), commit: integer(0, 5) })
const commit = Arbitrary.all({ op: op("commit") })

const times = <A>(count: number, choice: A): ReadonlyArray<A> => Array.from({ length: count }, () => choice)

const step = oneOf<Step>(
  ...times(3, get),
  ...times(2, getKey),
  ...times(3, getRange),
  ...times(3, set),
  clear,
  clearRange,
  ...times(2, atomic),
  conflictKey,
  conflictRange,
  readAt,
  ...times(3, commit)
)

/** The turns of up to `transactions` open transactions. */
export const program = (transactions: number, maxLength: number): Arbitrary.Arbitrary<ReadonlyArray<Turn>> =>
  Arbitrary.array(Arbitrary.all({ transaction: integer(0, transactions - 1), step }), { minLength: 1, maxLength })

/** The operations of one transaction before its commit. */
export const body = (maxLength: number): Arbitrary.Arbitrary<ReadonlyArray<Turn>> =>
  Arbitrary.array(
    Arbitrary.map(
      oneOf<Step>(get, getKey, getRange, set, clear, clearRange, atomic),
      (step) => ({ transaction: 0, step })
    ),
    { minLength: 1, maxLength }
  )

/** The values that a program begins with. */
export const initial: Arbitrary.Arbitrary<model.State> = Arbitrary.map(
  Arbitrary.array(constants(undefined, "05", "0102"), {
    minLength: model.endKey - model.firstKey,
    maxLength: model.endKey - model.firstKey
  }),
  (values) => [
    ...Array.from({ length: model.firstKey }, () => "00"),
    ...values,
    ...Array.from({ length: model.keyCount - model.endKey }, () => "00")
  ]
)

// ---------------------------------------------------------------------------------------------------------------------
// The engine's side

const toKey = (space: Space, key: number) => Bytes.concat(space.range.begin, Uint8Array.of(key))
const toNumber = (space: Space, key: Uint8Array) => key[space.range.begin.length]
const toSelector = (space: Space, { key, offset, orEqual }: model.Selector) =>
  KeySelector.make(toKey(space, key), orEqual, offset)
const toPairs = (space: Space, pairs: ReadonlyArray<KeyValue>) =>
  pairs.map(({ key, value }) => [toNumber(space, key), Bytes.toHex(value)])

/** Performs a step other than `commit` and `readAt`, and returns the result of a read. */
const perform = (
  tx: TransactionService,
  space: Space,
  step: Exclude<Step, { readonly op: "commit" | "readAt" }>
): Effect.Effect<unknown, FdbError> => {
  const reads = "snapshot" in step && step.snapshot ? tx.snapshot : tx
  const key = (number: number) => toKey(space, number)
  const span = (step: { readonly begin: number; readonly end: number }) => ({
    begin: key(step.begin),
    end: key(step.end)
  })
  switch (step.op) {
    case "get":
      return Effect.map(reads.get(key(step.key)), (value) => value === undefined ? undefined : Bytes.toHex(value))
    case "getKey":
      return Effect.map(reads.getKey(toSelector(space, step.selector)), (key) => toNumber(space, key))
    case "getRange": {
      const range = { begin: toSelector(space, step.begin), end: toSelector(space, step.end) }
      return Effect.map(
        step.stream ? Stream.runCollect(reads.streamRange(range, step)) : reads.getRange(range, step),
        (pairs) => toPairs(space, pairs)
      )
    }
    case "set":
      return tx.set(key(step.key), Bytes.fromHex(step.value))
    case "clear":
      return tx.clear(key(step.key))
    case "clearRange":
      return tx.clearRange(span(step))
    case "atomic":
      return tx.atomic(step.atomic, key(step.key), Bytes.fromHex(step.value))
    case "readConflict":
      return tx.addReadConflictRange(span(step))
    case "writeConflict":
      return tx.addWriteConflictRange(span(step))
    case "readConflictKey":
      return tx.addReadConflictKey(key(step.key))
    case "writeConflictKey":
      return tx.addWriteConflictKey(key(step.key))
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The model's side

/** A commit and the state after it. */
interface Version {
  readonly state: model.State
  readonly written: model.Points
  readonly version: bigint
}

/** An open transaction and its expected behaviour. */
class Open {
  readonly session: Session
  readonly committed: Effect.Effect<bigint, FdbError>
  /** The number of the version that it reads at, if it has taken or set one. */
  version: number | undefined = undefined
  readonly log: Array<model.Read | model.Write> = []
  /** The serializable reads and their results, in order. */
  readonly answers: Array<readonly [model.Read, unknown]> = []
  /** A later commit to one of these must cause a conflict. */
  private readonly mustConflict = new Set<number>()
  readonly written = new Set<number>()
  /** Reads of these do not depend on the database. */
  private readonly independent = new Set<number>()
  /** A later commit to one of these may cause a conflict. */
  private readonly mayConflict = new Set<number>()
  changes = false

  constructor(session: Session, committed: Effect.Effect<bigint, FdbError>) {
    this.session = session
    this.committed = committed
  }

  /** The absent keys whose last own write is a `CompareAndClear`. */
  clearedKeys(view: model.State): model.ClearedKeys {
    const clearedKeys = new Set<number>()
    for (const entry of this.log) {
      if (isRead(entry)) continue
      if (entry.op === "atomic") {
        if (entry.atomic === "CompareAndClear") clearedKeys.add(entry.key)
      } else {
        for (const point of model.written(entry)) clearedKeys.delete(point / 2)
      }
    }
    return new Set([...clearedKeys].filter((key) => view[key] === undefined))
  }

  addRead(may: model.Points, must: model.Points): void {
    for (const point of may) if (!this.independent.has(point)) this.mayConflict.add(point)
    for (const point of must) if (!this.independent.has(point)) this.mustConflict.add(point)
  }

  addWrite(write: model.Write): void {
    const points = model.written(write)
    this.addWritten(points)
    if (write.op !== "atomic") { for (const point of points) this.independent.add(point) }
    this.log.push(write)
  }

  addWritten(points: model.Points): void {
    for (const point of points) this.written.add(point)
    if (points.size > 0) this.changes = true
  }

  /** Whether the commits since its read version may, and whether they must, cause a conflict. */
  conflicts(versions: ReadonlyArray<Version>): { readonly may: boolean; readonly must: boolean } {
    const since = this.version ?? versions.length - 1
    const meets = (points: model.Points) =>
      this.changes &&
      versions.slice(since + 1).some(({ written }) => Array.from(written).some((point) => points.has(point)))
    return { may: meets(this.mayConflict), must: meets(this.mustConflict) }
  }

  /** The state with the transaction's own writes so far. */
  view(state: model.State): model.State {
    return this.log.reduce<model.State>((state, entry) => isRead(entry) ? state : model.write(state, entry), state)
  }

  /** The results of its serializable reads in another state. */
  replay(state: model.State, countsCleared: boolean): ReadonlyArray<readonly [model.Read, unknown]> {
    const before = new Open(this.session, this.committed)
    const results: Array<readonly [model.Read, unknown]> = []
    for (const entry of this.log) {
      if (isRead(entry) && !entry.snapshot) {
        const view = before.view(state)
        results.push([entry, model.read(view, entry, countsCleared ? before.clearedKeys(view) : undefined)])
      }
      before.log.push(entry)
    }
    return results
  }
}

const isRead = (entry: model.Read | model.Write): entry is model.Read =>
  entry.op === "get" || entry.op === "getKey" || entry.op === "getRange"

/**
 * Runs a program on the database and compares all visible effects with the model:
 *
 * - Every read has the result of the state at the transaction's read version, with the transaction's own writes over it.
 * - The serializable reads of a transaction that commits would have the same results at its commit. So the transactions that write are
 *   equivalent to a serial execution in the order of their commits.
 * - A transaction fails with 1020 only if another wrote, after its read version, what it has read or added as a read conflict. It always
 *   fails if that was a single key or an added conflict.
 * - At the end, the database has the state of the serial execution.
 */
export const runProgram = Effect.fnUntraced(function*(
  start: model.State,
  turns: ReadonlyArray<Turn>,
  /** See `Options.selectorsCountCleared`. */
  countsCleared: boolean
) {
  const space = yield* makeSpace
  const version = yield* commitVersion((tx) =>
    Effect.forEach(
      start,
      (value, key) => value === undefined ? Effect.void : tx.set(toKey(space, key), Bytes.fromHex(value)),
      { discard: true }
    )
  )
  const versions: Array<Version> = [{ state: start, written: new Set(), version }]
  const open = new Map<number, Open>()

  const openOf = Effect.fnUntraced(function*(transaction: number) {
    const present = open.get(transaction)
    if (present !== undefined) return present
    const session = yield* begin()
    const added = new Open(session, yield* session.committedVersion)
    open.set(transaction, added)
    return added
  })

  const finish = Effect.fnUntraced(function*(transaction: number, tx: Open) {
    open.delete(transaction)
    const who = `transaction ${transaction}`
    const exit = yield* Effect.result(tx.session.commit)
    const { may, must } = tx.conflicts(versions)
    if (exit._tag === "Failure") {
      assert.strictEqual(exit.failure.code, 1020, exit.failure.message)
      assert.isTrue(may, `${who} was refused without a conflict`)
      return
    }
    assert.isFalse(must, `${who} was committed in spite of a conflict`)
    const version = yield* tx.committed
    if (!tx.changes) {
      assert.strictEqual(version, -1n, `${who} was read-only`)
      return
    }
    const last = versions.at(-1)!
    assert.isTrue(version > last.version, `${who} was committed at ${version}, the one before at ${last.version}`)
    assert.deepStrictEqual(
      tx.replay(last.state, countsCleared),
      tx.answers,
      `${who} was committed, but would have read something else (actual) than it did (expected)`
    )
    versions.push({ state: tx.view(last.state), written: tx.written, version })
  })

  for (const { step, transaction } of turns) {
    const tx = yield* openOf(transaction)
    switch (step.op) {
      case "commit":
        yield* finish(transaction, tx)
        break
      case "readAt":
        if (tx.version === undefined) {
          tx.version = step.commit % versions.length
          yield* tx.session.setReadVersion(versions[tx.version]!.version)
        }
        break
      case "get":
      case "getKey":
      case "getRange": {
        if (tx.version === undefined) {
          yield* tx.session.readVersion
          tx.version = versions.length - 1
        }
        const view = tx.view(versions[tx.version]!.state)
        const expected = model.read(view, step, countsCleared ? tx.clearedKeys(view) : undefined)
        const actual = yield* perform(tx.session, space, step)
        assert.deepStrictEqual(actual, expected, `transaction ${transaction} reads ${JSON.stringify(step)}`)
        tx.log.push(step)
        if (!step.snapshot) {
          tx.answers.push([step, actual])
          tx.addRead(model.dependsOn(view, step), model.certainlyDependsOn(step))
        }
        break
      }
      case "readConflict":
      case "readConflictKey":
      case "writeConflict":
      case "writeConflictKey": {
        yield* perform(tx.session, space, step)
        const points = "key" in step ? model.single(step.key) : model.between(step.begin, step.end)
        if (step.op === "readConflict" || step.op === "readConflictKey") tx.addRead(points, points)
        else tx.addWritten(points)
        break
      }
      default:
        yield* perform(tx.session, space, step)
        tx.addWrite(step)
    }
  }
  for (const [transaction, tx] of open) yield* finish(transaction, tx)

  const stored = yield* run((tx) => tx.getRange(space.range))
  const { state } = versions.at(-1)!
  assert.deepStrictEqual(
    toPairs(space, stored),
    state.flatMap((value, key) => value === undefined ? [] : [[key, value]]),
    "the state of the database at the end"
  )
}, Effect.scoped)
