/**
 * One attempt of a transaction: the `Transaction` service over an engine's attempt, and what the retry loop has to know.
 *
 * It checks what is handed in, refuses use after the commit, and remembers which errors it has raised: only those may be
 * retried, for any other failure is the body's own.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Bytes from "../Bytes.ts"
import type { Committed, Engine, EngineTransaction, EngineWatch, Page } from "../Engine.ts"
import * as FdbError from "../FdbError.ts"
import * as KeyRange from "../KeyRange.ts"
import * as KeySelector from "../KeySelector.ts"
import type { Mutation } from "../Mutation.ts"
import type { KeyValue, Range, RangeOptions, Reads, TransactionService } from "../Transaction.ts"
import { transactionLength, type Versionstamped } from "../Versionstamp.ts"
import { maxValueLength } from "./limits.ts"

type FdbError = FdbError.FdbError

const endOfKeys = KeyRange.all.end

/** What is left to read of a range. */
interface Cursor {
  readonly begin: KeySelector.KeySelector
  readonly end: KeySelector.KeySelector
  /** Zero means no limit. */
  readonly limit: number
  readonly reverse: boolean
}

const toSelector = (position: Uint8Array | KeySelector.KeySelector): KeySelector.KeySelector =>
  position instanceof Uint8Array ? KeySelector.firstGreaterOrEqual(position) : position

const toCursor = (range: Range, options: RangeOptions = {}): Cursor => ({
  begin: toSelector(range.begin),
  end: toSelector(range.end),
  limit: options.limit ?? 0,
  reverse: options.reverse ?? false
})

/** Where to go on after a page, `undefined` when the range is read or the limit reached. */
const advance = (cursor: Cursor, page: Page): Cursor | undefined => {
  const last = page.values.at(-1)
  if (last === undefined || !page.more) return undefined
  if (cursor.limit > 0 && page.values.length >= cursor.limit) return undefined
  const limit = cursor.limit === 0 ? 0 : cursor.limit - page.values.length
  return cursor.reverse
    ? { ...cursor, limit, end: KeySelector.firstGreaterOrEqual(last.key) }
    : { ...cursor, limit, begin: KeySelector.firstGreaterThan(last.key) }
}

export class Attempt {
  readonly service: TransactionService
  private readonly engine: Engine
  private readonly transaction: EngineTransaction
  private readonly raised = new Set<FdbError>()
  private readonly watches: Array<EngineWatch> = []
  private failedRead: FdbError | undefined = undefined
  private committed: Committed | undefined = undefined
  private open = true

  constructor(engine: Engine, transaction: EngineTransaction) {
    this.engine = engine
    this.transaction = transaction
    this.service = this.makeService()
  }

  /** Whether an error came from this very attempt. */
  hasRaised(error: unknown): error is FdbError {
    return this.raised.has(error as FdbError)
  }

  /** Commits, and ends the use of the service. A read that failed fails the commit even where the body has caught it. */
  readonly commit: Effect.Effect<void, FdbError> = Effect.suspend(() => {
    this.open = false
    if (this.failedRead !== undefined) return Effect.fail(this.failedRead)
    return Effect.matchEffect(this.transaction.commit, {
      onFailure: (error) => this.refuse(error),
      onSuccess: (committed) => {
        this.committed = committed
        return Effect.void
      }
    })
  })

  /** Ends the attempt, whatever has become of it; the watches of a commit live on. */
  readonly dispose: Effect.Effect<void> = Effect.suspend(() => {
    this.open = false
    if (this.committed !== undefined || this.watches.length === 0) return this.transaction.dispose
    return Effect.andThen(
      Effect.forEach(this.watches, (watch) => watch.cancel, { discard: true }),
      this.transaction.dispose
    )
  })

  private refuse(error: FdbError): Effect.Effect<never, FdbError> {
    this.raised.add(error)
    return Effect.fail(error)
  }

  private fault(code: number, phase: FdbError.Phase, detail?: string): FdbError {
    return FdbError.make(code, phase, detail)
  }

  private reading<A>(
    check: FdbError | undefined,
    read: () => Effect.Effect<A, FdbError>
  ): Effect.Effect<A, FdbError> {
    if (!this.open) return this.refuse(this.fault(2017, "read"))
    if (check !== undefined) return this.refuse(check)
    return Effect.catch(read(), (error) => {
      this.failedRead ??= error
      return this.refuse(error)
    })
  }

  private writing(check: FdbError | undefined, write: () => void): Effect.Effect<void, FdbError> {
    if (!this.open) return this.refuse(this.fault(2017, "write"))
    if (check !== undefined) return this.refuse(check)
    write()
    return Effect.void
  }

  private mutation(check: () => FdbError | undefined, mutation: Mutation): Effect.Effect<void, FdbError> {
    return Effect.suspend(() => this.writing(check(), () => this.transaction.mutate(mutation)))
  }

  private checkKey(key: Uint8Array, phase: FdbError.Phase): FdbError | undefined {
    const { maxKeyLength, name } = this.engine
    if (key.length > maxKeyLength) {
      return this.fault(2102, phase, `the key has ${key.length} bytes, the ${name} engine allows ${maxKeyLength}`)
    }
    return Bytes.compare(key, endOfKeys) >= 0
      ? this.fault(2004, phase, "keys from \\xff on belong to the system")
      : undefined
  }

  private checkValue(value: Uint8Array): FdbError | undefined {
    return value.length > maxValueLength
      ? this.fault(2103, "write", `the value has ${value.length} bytes, the limit is ${maxValueLength}`)
      : undefined
  }

  private checkGap({ bytes, offset }: Versionstamped): FdbError | undefined {
    return Number.isInteger(offset) && offset >= 0 && offset + transactionLength <= bytes.length
      ? undefined
      : this.fault(2000, "write", `no room for a versionstamp at offset ${offset} of ${bytes.length} bytes`)
  }

  private checkRange(range: KeyRange.KeyRange, phase: FdbError.Phase): FdbError | undefined {
    if (Bytes.compare(range.begin, range.end) > 0) return this.fault(2005, phase)
    return Bytes.compare(range.end, endOfKeys) > 0
      ? this.fault(2004, phase, "keys from \\xff on belong to the system")
      : undefined
  }

  private checkSelector(selector: KeySelector.KeySelector): FdbError | undefined {
    return Bytes.compare(selector.key, endOfKeys) > 0
      ? this.fault(2004, "read", "keys from \\xff on belong to the system")
      : undefined
  }

  private checkCursor(cursor: Cursor): FdbError | undefined {
    return Number.isInteger(cursor.limit) && cursor.limit >= 0
      ? this.checkSelector(cursor.begin) ?? this.checkSelector(cursor.end)
      : this.fault(2012, "read", `the limit is ${cursor.limit}, it has to be a whole number, or zero for none`)
  }

  private makeReads(snapshot: boolean): Reads {
    const { transaction } = this

    const getPage = (cursor: Cursor, mode: "all" | "page") =>
      this.reading(this.checkCursor(cursor), () =>
        transaction.getPage(cursor.begin, cursor.end, {
          limit: cursor.limit,
          reverse: cursor.reverse,
          snapshot,
          mode
        }))

    const collect = (cursor: Cursor, values: Array<KeyValue>): Effect.Effect<Array<KeyValue>, FdbError> =>
      Effect.flatMap(Effect.suspend(() => getPage(cursor, "all")), (page) => {
        const collected = values.length === 0 ? [...page.values] : values.concat(page.values)
        const next = advance(cursor, page)
        return next === undefined ? Effect.succeed(collected) : collect(next, collected)
      })

    return {
      get: (key) =>
        Effect.suspend(() => {
          // A key longer than any that can be stored is simply absent.
          if (key.length > this.engine.maxKeyLength) return this.reading(undefined, () => Effect.undefined)
          return this.reading(this.checkKey(key, "read"), () => transaction.get(key, snapshot))
        }),
      getKey: (selector) =>
        Effect.suspend(() => this.reading(this.checkSelector(selector), () => transaction.getKey(selector, snapshot))),
      getRange: (range, options) => collect(toCursor(range, options), []),
      streamRange: (range, options) =>
        Stream.paginate(
          toCursor(range, options),
          (cursor) =>
            Effect.map(Effect.suspend(() => getPage(cursor, "page")), (page) =>
              [page.values, Option.fromUndefinedOr(advance(cursor, page))] as const)
        )
    }
  }

  private makeService(): TransactionService {
    const { transaction } = this

    const addConflict = (range: KeyRange.KeyRange, add: (range: KeyRange.KeyRange) => void) =>
      Effect.suspend(() => this.writing(this.checkRange(range, "write"), () => add(range)))

    const addConflictKey = (key: Uint8Array, add: (range: KeyRange.KeyRange) => void) =>
      Effect.suspend(() => this.writing(this.checkKey(key, "write"), () => add(KeyRange.single(key))))

    const afterCommit = <A>(read: (committed: Committed) => Effect.Effect<A, FdbError>) =>
      Effect.suspend(() =>
        this.committed === undefined ? Effect.fail(this.fault(2015, "commit")) : read(this.committed)
      )

    return {
      ...this.makeReads(false),
      snapshot: this.makeReads(true),

      set: (key, value) =>
        this.mutation(() => this.checkKey(key, "write") ?? this.checkValue(value), { _tag: "Set", key, value }),
      clear: (key) => this.mutation(() => this.checkKey(key, "write"), { _tag: "Clear", key }),
      clearRange: ({ begin, end }) =>
        this.mutation(() => this.checkRange({ begin, end }, "write"), { _tag: "ClearRange", begin, end }),
      atomic: (op, key, operand) =>
        this.mutation(() => this.checkKey(key, "write") ?? this.checkValue(operand), {
          _tag: "Atomic",
          op,
          key,
          operand
        }),
      setVersionstampedKey: (key, value) =>
        this.mutation(
          () => this.checkGap(key) ?? this.checkKey(key.bytes, "write") ?? this.checkValue(value),
          { _tag: "SetVersionstampedKey", key, value }
        ),
      setVersionstampedValue: (key, value) =>
        this.mutation(
          () => this.checkKey(key, "write") ?? this.checkGap(value) ?? this.checkValue(value.bytes),
          { _tag: "SetVersionstampedValue", key, value }
        ),

      addReadConflictKey: (key) => addConflictKey(key, transaction.addReadConflict),
      addReadConflictRange: (range) => addConflict(range, transaction.addReadConflict),
      addWriteConflictKey: (key) => addConflictKey(key, transaction.addWriteConflict),
      addWriteConflictRange: (range) => addConflict(range, transaction.addWriteConflict),

      readVersion: Effect.suspend(() => this.reading(undefined, () => transaction.readVersion)),
      setReadVersion: (version) =>
        Effect.suspend(() =>
          this.reading(
            version > 0n ? undefined : this.fault(2011, "read", `the read version is ${version}`),
            () => transaction.setReadVersion(version)
          )
        ),

      watch: (key) =>
        Effect.suspend(() =>
          Effect.map(
            Effect.acquireRelease(
              Effect.tap(
                this.reading(this.checkKey(key, "read"), () => transaction.watch(key)),
                (watch) => Effect.sync(() => void this.watches.push(watch))
              ),
              (watch) => watch.cancel
            ),
            (watch) => watch.fired
          )
        ),

      committedVersion: Effect.succeed(afterCommit((committed) => Effect.succeed(committed.version))),
      versionstamp: Effect.sync(() => {
        transaction.requestVersionstamp()
        return afterCommit((committed) =>
          committed.versionstamp === undefined
            ? Effect.fail(this.fault(2021, "commit"))
            : Effect.succeed(committed.versionstamp)
        )
      })
    }
  }
}
