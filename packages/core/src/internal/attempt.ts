/**
 * One attempt of a transaction. It checks arguments, refuses use after the commit, and remembers which errors it has raised: the
 * retry loop retries only those, for any other failure is the body's own.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../Bytes.ts"
import type { Committed, Engine, EngineTransaction, EngineWatch } from "../Engine.ts"
import * as FdbError from "../FdbError.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeySelector } from "../KeySelector.ts"
import type { Mutation } from "../Mutation.ts"
import { transactionLength, type Versionstamped } from "../Versionstamp.ts"
import { maxValueLength, offsetLength } from "./limits.ts"
import type { RangeCursor } from "./rangeCursor.ts"

type FdbError = FdbError.FdbError
const { codes } = FdbError

const endOfKeys = KeyRange.all.end

const systemKey = (phase: FdbError.Phase): FdbError =>
  FdbError.make(codes.keyOutsideLegalRange, phase, "keys from \\xff on belong to the system")

export class Attempt {
  readonly engine: Engine
  readonly transaction: EngineTransaction
  private readonly raised: Array<unknown> = []
  private readonly watches: Array<EngineWatch> = []
  private failedRead: FdbError | undefined = undefined
  private committed: Committed | undefined = undefined
  private open = true

  constructor(engine: Engine, transaction: EngineTransaction) {
    this.engine = engine
    this.transaction = transaction
  }

  /** Returns whether an error came from this very attempt. */
  hasRaised(error: unknown): error is FdbError {
    return this.raised.includes(error)
  }

  /** Commits. A failed read fails the commit, even if the body has caught the error. */
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

  /** Ends the attempt. The watches of a commit continue. */
  readonly dispose: Effect.Effect<void> = Effect.suspend(() => {
    this.open = false
    if (this.committed !== undefined || this.watches.length === 0) return this.transaction.dispose
    return Effect.andThen(
      Effect.forEach(this.watches, (watch) => watch.cancel, { discard: true }),
      this.transaction.dispose
    )
  })

  refuse(error: FdbError): Effect.Effect<never, FdbError> {
    this.raised.push(error)
    return Effect.fail(error)
  }

  reading<A>(
    check: FdbError | undefined,
    read: () => Effect.Effect<A, FdbError>
  ): Effect.Effect<A, FdbError> {
    if (!this.open) return this.refuse(FdbError.make(codes.usedDuringCommit, "read"))
    if (check !== undefined) return this.refuse(check)
    return Effect.catch(read(), (error) => {
      // The transaction may go on where the watch is not set: the value was read.
      if (error.code !== codes.tooManyWatches) this.failedRead ??= error
      return this.refuse(error)
    })
  }

  writing(check: FdbError | undefined, write: () => void): Effect.Effect<void, FdbError> {
    if (!this.open) return this.refuse(FdbError.make(codes.usedDuringCommit, "write"))
    if (check !== undefined) return this.refuse(check)
    write()
    return Effect.void
  }

  mutate(mutation: Mutation): Effect.Effect<void, FdbError> {
    return Effect.suspend(() => this.writing(this.checkMutation(mutation), () => this.transaction.mutate(mutation)))
  }

  private checkMutation(mutation: Mutation): FdbError | undefined {
    switch (mutation._tag) {
      case "Set":
        return this.checkKey(mutation.key, "write") ?? this.checkValue(mutation.value)
      case "Clear":
        return this.checkLegal(mutation.key, "write")
      case "ClearRange":
        return this.checkRange(mutation, "write")
      case "Atomic":
        return this.checkKey(mutation.key, "write") ?? this.checkValue(mutation.operand)
      case "SetVersionstampedKey":
        return this.checkKey(mutation.key.bytes, "write", offsetLength) ?? this.checkValue(mutation.value) ??
          this.checkGap(mutation.key)
      case "SetVersionstampedValue":
        return this.checkKey(mutation.key, "write") ?? this.checkValue(mutation.value.bytes, offsetLength) ??
          this.checkGap(mutation.value)
    }
  }

  /** Keys of any length may be read and cleared: one that is longer than the limit is absent. */
  checkLegal(key: Uint8Array, phase: FdbError.Phase): FdbError | undefined {
    return Bytes.compare(key, endOfKeys) >= 0 ? systemKey(phase) : undefined
  }

  /** `more` bytes are added to the key's. */
  checkKey(key: Uint8Array, phase: FdbError.Phase, more = 0): FdbError | undefined {
    const { maxKeyLength, name } = this.engine
    const length = key.length + more
    const illegal = this.checkLegal(key, phase)
    if (illegal !== undefined || length <= maxKeyLength) return illegal
    const problem = `the key has ${length} bytes, the ${name} engine allows ${maxKeyLength}`
    return FdbError.make(codes.keyTooLarge, phase, problem)
  }

  checkValue(value: Uint8Array, more = 0): FdbError | undefined {
    const length = value.length + more
    return length > maxValueLength
      ? FdbError.make(codes.valueTooLarge, "write", `the value has ${length} bytes, the limit is ${maxValueLength}`)
      : undefined
  }

  checkGap({ bytes, offset }: Versionstamped): FdbError | undefined {
    if (Number.isInteger(offset) && offset >= 0 && offset + transactionLength <= bytes.length) return undefined
    const problem = `no room for a versionstamp at offset ${offset} of ${bytes.length} bytes`
    return FdbError.make(codes.clientInvalidOperation, "write", problem)
  }

  checkRange(range: KeyRange.KeyRange, phase: FdbError.Phase): FdbError | undefined {
    if (Bytes.compare(range.begin, range.end) > 0) return FdbError.make(codes.invertedRange, phase)
    return Bytes.compare(range.end, endOfKeys) > 0 ? systemKey(phase) : undefined
  }

  checkSelector(selector: KeySelector): FdbError | undefined {
    return Bytes.compare(selector.key, endOfKeys) > 0 ? systemKey("read") : undefined
  }

  checkCursor(cursor: RangeCursor): FdbError | undefined {
    if (Number.isInteger(cursor.limit) && cursor.limit >= 0) {
      return this.checkSelector(cursor.begin) ?? this.checkSelector(cursor.end)
    }
    const problem = `the limit is ${cursor.limit}, it has to be a whole number, or zero for none`
    return FdbError.make(codes.rangeLimitsInvalid, "read", problem)
  }

  addConflict(range: KeyRange.KeyRange, add: (range: KeyRange.KeyRange) => void): Effect.Effect<void, FdbError> {
    return Effect.suspend(() => this.writing(this.checkRange(range, "write"), () => add(range)))
  }

  addConflictKey(key: Uint8Array, add: (range: KeyRange.KeyRange) => void): Effect.Effect<void, FdbError> {
    return Effect.suspend(() => this.writing(this.checkLegal(key, "write"), () => add(KeyRange.single(key))))
  }

  watching(key: Uint8Array): Effect.Effect<EngineWatch, FdbError> {
    return Effect.tap(
      this.reading(this.checkKey(key, "read"), () => this.transaction.watch(key)),
      (watch) => Effect.sync(() => void this.watches.push(watch))
    )
  }

  /** Reads a result of the commit. */
  afterCommit<A>(read: (committed: Committed) => Effect.Effect<A, FdbError>): Effect.Effect<A, FdbError> {
    return Effect.suspend(() =>
      this.committed === undefined ? Effect.fail(FdbError.make(codes.futureNotSet, "commit")) : read(this.committed)
    )
  }
}
