/**
 * The `Transaction` service over one attempt. Operations are fields, so that each can be passed as a function. Classes make it cheap
 * to create one for each attempt.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Page } from "../Engine.ts"
import * as FdbError from "../FdbError.ts"
import type { KeyRange } from "../KeyRange.ts"
import type { KeySelector } from "../KeySelector.ts"
import type { AtomicOp } from "../Mutation.ts"
import type { KeyValue, Range, RangeOptions, Reads, TransactionService, Values } from "../Transaction.ts"
import type { Versionstamped } from "../Versionstamp.ts"
import type { Attempt } from "./attempt.ts"
import { advance, type RangeCursor, toCursor } from "./rangeCursor.ts"

type FdbError = FdbError.FdbError

class AttemptReads implements Reads {
  protected readonly attempt: Attempt
  private readonly isSnapshot: boolean

  constructor(attempt: Attempt, isSnapshot: boolean) {
    this.attempt = attempt
    this.isSnapshot = isSnapshot
  }

  private page(cursor: RangeCursor, mode: "all" | "page"): Effect.Effect<Page, FdbError> {
    const { begin, end, limit, reverse } = cursor
    const options = { limit, reverse, snapshot: this.isSnapshot, mode }
    return this.attempt.reading(
      this.attempt.checkCursor(cursor),
      () => this.attempt.transaction.getPage(begin, end, options)
    )
  }

  private collect(cursor: RangeCursor, collected: Array<KeyValue>): Effect.Effect<Array<KeyValue>, FdbError> {
    return Effect.flatMap(Effect.suspend(() => this.page(cursor, "all")), (page) => {
      for (const pair of page.values) collected.push(pair)
      const next = advance(cursor, page)
      // Other fibers may run between two pages.
      return next === undefined
        ? Effect.succeed(collected)
        : Effect.andThen(Effect.yieldNow, Effect.suspend(() => this.collect(next, collected)))
    })
  }

  /** A key that is too long to be stored is absent. */
  private mayExist(key: Uint8Array): boolean {
    return key.length <= this.attempt.engine.maxKeyLength
  }

  readonly get = (key: Uint8Array): Effect.Effect<Uint8Array | undefined, FdbError> =>
    Effect.suspend(() =>
      this.attempt.reading(
        this.attempt.checkLegal(key, "read"),
        () => this.mayExist(key) ? this.attempt.transaction.get(key, this.isSnapshot) : Effect.undefined
      )
    )

  readonly getAll = <const Keys extends ReadonlyArray<Uint8Array>>(keys: Keys): Effect.Effect<Values<Keys>, FdbError> =>
    Effect.suspend(() => {
      const { attempt } = this
      let refused: FdbError | undefined
      for (const key of keys) refused ??= attempt.checkLegal(key, "read")
      const existing = keys.filter((key) => this.mayExist(key))
      const values = attempt.reading(refused, () => attempt.transaction.getAll(existing, this.isSnapshot))
      return (existing.length === keys.length
        ? values
        : Effect.map(values, (found) => {
          let next = 0
          return keys.map((key) => this.mayExist(key) ? found[next++] : undefined)
        })) as Effect.Effect<Values<Keys>, FdbError>
    })

  readonly getKey = (selector: KeySelector): Effect.Effect<Uint8Array, FdbError> =>
    Effect.suspend(() =>
      this.attempt.reading(
        this.attempt.checkSelector(selector),
        () => this.attempt.transaction.getKey(selector, this.isSnapshot)
      )
    )

  readonly getRange = (range: Range, options?: RangeOptions): Effect.Effect<Array<KeyValue>, FdbError> =>
    Effect.suspend(() => this.collect(toCursor(range, options), []))

  readonly streamRange = (range: Range, options?: RangeOptions): Stream.Stream<KeyValue, FdbError> =>
    Stream.paginate(
      toCursor(range, options),
      (cursor) =>
        Effect.map(
          Effect.suspend(() => this.page(cursor, "page")),
          (page) => [page.values, Option.fromUndefinedOr(advance(cursor, page))] as const
        )
    )
}

export class AttemptTransaction extends AttemptReads implements TransactionService {
  readonly snapshot: Reads
  readonly maybeCommitted: boolean

  constructor(attempt: Attempt, maybeCommitted: boolean) {
    super(attempt, false)
    this.maybeCommitted = maybeCommitted
    this.snapshot = new AttemptReads(attempt, true)
  }

  readonly set = (key: Uint8Array, value: Uint8Array) => this.attempt.mutate({ _tag: "Set", key, value })

  readonly clear = (key: Uint8Array) => this.attempt.mutate({ _tag: "Clear", key })

  readonly clearRange = ({ begin, end }: KeyRange) => this.attempt.mutate({ _tag: "ClearRange", begin, end })

  readonly atomic = (op: AtomicOp, key: Uint8Array, operand: Uint8Array) =>
    this.attempt.mutate({ _tag: "Atomic", op, key, operand })

  readonly setVersionstampedKey = (key: Versionstamped, value: Uint8Array) =>
    this.attempt.mutate({ _tag: "SetVersionstampedKey", key, value })

  readonly setVersionstampedValue = (key: Uint8Array, value: Versionstamped) =>
    this.attempt.mutate({ _tag: "SetVersionstampedValue", key, value })

  readonly addReadConflictKey = (key: Uint8Array) =>
    this.attempt.addConflictKey(key, this.attempt.transaction.addReadConflict)

  readonly addReadConflictRange = (range: KeyRange) =>
    this.attempt.addConflict(range, this.attempt.transaction.addReadConflict)

  readonly addWriteConflictKey = (key: Uint8Array) =>
    this.attempt.addConflictKey(key, this.attempt.transaction.addWriteConflict)

  readonly addWriteConflictRange = (range: KeyRange) =>
    this.attempt.addConflict(range, this.attempt.transaction.addWriteConflict)

  readonly readVersion: Effect.Effect<bigint, FdbError> = Effect.suspend(() =>
    this.attempt.reading(undefined, () => this.attempt.transaction.readVersion)
  )

  readonly setReadVersion = (version: bigint): Effect.Effect<void, FdbError> =>
    Effect.suspend(() =>
      this.attempt.reading(
        version > 0n
          ? undefined
          : FdbError.make(FdbError.codes.versionInvalid, "read", `the read version is ${version}`),
        () => this.attempt.transaction.setReadVersion(version)
      )
    )

  readonly watch = (key: Uint8Array) =>
    Effect.suspend(() =>
      Effect.map(Effect.acquireRelease(this.attempt.watching(key), (watch) => watch.cancel), (watch) => watch.fired)
    )

  readonly committedVersion: Effect.Effect<Effect.Effect<bigint, FdbError>> = Effect.sync(() =>
    this.attempt.afterCommit((committed) => Effect.succeed(committed.version))
  )

  readonly versionstamp: Effect.Effect<Effect.Effect<Uint8Array, FdbError>> = Effect.sync(() => {
    this.attempt.transaction.requestVersionstamp()
    return this.attempt.afterCommit((committed) =>
      committed.versionstamp === undefined
        ? Effect.fail(FdbError.make(FdbError.codes.noCommitVersion, "commit"))
        : Effect.succeed(committed.versionstamp)
    )
  })
}
