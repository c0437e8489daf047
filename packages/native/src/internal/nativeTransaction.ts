/**
 * One attempt on a native transaction: the engine's contract on one side, promises and `Buffer`s on the other.
 *
 * **Interruption.** The binding can cancel a whole transaction, not one read of it. So interrupting a read leaves the
 * transaction as it is (a body that raced two reads goes on), and what is still under way is cancelled and waited for by
 * `dispose`, which core calls at the end of each attempt, interrupted ones above all.
 */
import { type Engine, FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type BindingReads, isBindingError } from "./binding.ts"
import * as encoding from "./encoding.ts"
import type { TrackedTransaction } from "./transactionRegistry.ts"

type Phase = FdbError["phase"]

/** An error of FoundationDB keeps its code; anything else that the binding throws is a defect, here or there. */
const fromCause = (cause: unknown, phase: Phase): Effect.Effect<never, FdbError> =>
  isBindingError(cause) ? Effect.fail(new FdbError({ code: cause.code, phase })) : Effect.die(cause)

/** Sets all options of an attempt. They are set on every attempt, for a native reset would drop most of them. */
const setOptions = (tracked: TrackedTransaction, options: Engine.AttemptOptions): void => {
  const { native } = tracked
  const { optionCodes } = encoding
  native.setOption(optionCodes.timeout, encoding.toTimeout(options.timeoutMillis))
  if (options.sizeLimit !== undefined) native.setOption(optionCodes.sizeLimit, options.sizeLimit)
  if (options.priority === "batch") native.setOption(optionCodes.priorityBatch)
  if (options.priority === "system-immediate") native.setOption(optionCodes.prioritySystemImmediate)
  if (options.causalReadRisky) native.setOption(optionCodes.causalReadRisky)
  if (options.tag !== undefined) native.setOption(optionCodes.autoThrottleTag, Buffer.from(options.tag))
}

const attempt = <A>(call: () => A): Result.Result<A, unknown> => Result.try({ try: call, catch: (cause) => cause })

/** A synchronous throw is a rejection like any other. */
const invoke = <A>(start: () => Promise<A>): Promise<A> =>
  Result.getOrElse(attempt(start), (cause) => Promise.reject(cause))

/** A cancelled transaction settles at once. One that does not has no network thread that works for it. */
const settleTimeout = Duration.seconds(5)

class NativeTransaction implements Engine.EngineTransaction {
  private readonly tracked: TrackedTransaction
  private readonly snapshot: BindingReads
  /** The error that a call without a result has thrown; as in FoundationDB the next call with one reports it. */
  private deferred: number | undefined = undefined
  private versioned = false
  private stampWanted = false
  private committed = false

  constructor(tracked: TrackedTransaction, options: Engine.AttemptOptions) {
    this.tracked = tracked
    this.snapshot = tracked.native.snapshot()
    this.defer(() => setOptions(tracked, options))
  }

  readonly readVersion = Effect.suspend(() => {
    this.versioned = true
    return this.call("read", () => this.track(() => this.tracked.native.getReadVersion()), encoding.toVersion)
  })

  readonly setReadVersion = (version: bigint): Effect.Effect<void, FdbError> =>
    Effect.suspend(() => {
      const bytes = encoding.fromVersion(version)
      if (bytes === undefined) return Effect.fail(new FdbError({ code: 2011, phase: "read" }))
      if (this.versioned) return Effect.fail(new FdbError({ code: 2010, phase: "read" }))
      this.versioned = true
      this.defer(() => this.tracked.native.setReadVersion(bytes))
      return Effect.void
    })

  readonly get = (key: Uint8Array, snapshot: boolean) =>
    this.read(
      snapshot,
      (reads) => this.track(() => reads.get(encoding.toBuffer(key))),
      (value) => value && encoding.fromBuffer(value)
    )

  readonly getAll: Engine.EngineTransaction["getAll"] = (keys, snapshot) =>
    this.read(
      snapshot,
      // Each is tracked by itself: when one fails, the others are still under way.
      (reads) => Promise.all(keys.map((key) => this.track(() => reads.get(encoding.toBuffer(key))))),
      (values) => values.map((value) => value && encoding.fromBuffer(value))
    )

  readonly getKey: Engine.EngineTransaction["getKey"] = (selector, snapshot) =>
    this.read(snapshot, (reads) => this.track(() => reads.getKey(encoding.toSelector(selector))), encoding.toKey)

  readonly getPage: Engine.EngineTransaction["getPage"] = (begin, end, { limit, mode, reverse, snapshot }) => {
    const { streamingModes, toInt32, toSelector } = encoding
    const [from, to] = [toSelector(begin), toSelector(end)]
    return this.read(
      snapshot,
      (reads) => this.track(() => reads.getRangeNative(from, to, toInt32(limit), 0, streamingModes[mode], 1, reverse)),
      ({ more, results }) => ({
        more,
        values: results.map(([key, value]) => ({ key: encoding.fromBuffer(key), value: encoding.fromBuffer(value) }))
      })
    )
  }

  readonly mutate: Engine.EngineTransaction["mutate"] = (mutation) => {
    const { native } = this.tracked
    const { mutationCodes, toBuffer, toStamped } = encoding
    this.defer(() => {
      switch (mutation._tag) {
        case "Set":
          return native.set(toBuffer(mutation.key), toBuffer(mutation.value))
        case "Clear":
          return native.clear(toBuffer(mutation.key))
        case "ClearRange":
          return native.clearRange(toBuffer(mutation.begin), toBuffer(mutation.end))
        case "Atomic":
          return native.atomicOpNative(mutationCodes[mutation.op], toBuffer(mutation.key), toBuffer(mutation.operand))
        case "SetVersionstampedKey":
          return native.atomicOpNative(mutationCodes[mutation._tag], toStamped(mutation.key), toBuffer(mutation.value))
        case "SetVersionstampedValue":
          return native.atomicOpNative(mutationCodes[mutation._tag], toBuffer(mutation.key), toStamped(mutation.value))
      }
    })
  }

  readonly addReadConflict: Engine.EngineTransaction["addReadConflict"] = ({ begin, end }) =>
    this.defer(() => this.tracked.native.addReadConflictRange(encoding.toBuffer(begin), encoding.toBuffer(end)))

  readonly addWriteConflict: Engine.EngineTransaction["addWriteConflict"] = ({ begin, end }) =>
    this.defer(() => this.tracked.native.addWriteConflictRange(encoding.toBuffer(begin), encoding.toBuffer(end)))

  /**
   * Reads the key first. The client does so by itself and keeps the value, so nothing is asked twice; but what its own read
   * fails with it tells the watch only, and commits, while the transaction has to be tried again.
   */
  readonly watch = (key: Uint8Array): Effect.Effect<Engine.EngineWatch, FdbError> =>
    Effect.flatMap(this.get(key, false), () => {
      const refused = this.refused("read")
      if (refused !== undefined) return Effect.fail(refused)
      // All errors are asked for: by default three of them would come as a watch that has not fired, with no code.
      const begun = attempt(() => this.tracked.native.watch(encoding.toBuffer(key), { throwAllErrors: true }))
      if (Result.isFailure(begun)) return fromCause(begun.failure, "read")
      const watch = begun.success
      const outcome = this.tracked.trackWatch(watch).then(watchFired, watchFailed)
      const settled = Effect.promise(() => outcome)
      return Effect.succeed({
        fired: Effect.flatten(settled),
        cancel: Effect.andThen(Effect.sync(() => watch.cancel()), Effect.asVoid(settled))
      })
    })

  readonly requestVersionstamp = (): void => {
    this.stampWanted = true
  }

  readonly commit: Effect.Effect<Engine.Committed, FdbError> = Effect.uninterruptible(Effect.suspend(() => {
    const { native } = this.tracked
    const refused = this.refused("commit")
    if (refused !== undefined) return Effect.fail(refused)
    this.tracked.committing = true
    // Asked for before the commit, for afterwards it is too late. It fails whenever the commit does.
    const stamp = this.stampWanted ? this.track(() => native.getVersionstamp().promise) : undefined
    stamp?.catch(() => {})
    return Effect.flatMap(
      this.call(
        "commit",
        () => this.track(() => native.rawCommit()),
        () => encoding.toVersion(native.getCommittedVersion())
      ),
      (version) => {
        this.committed = true
        if (stamp === undefined || version < 0n) return Effect.succeed({ version, versionstamp: undefined })
        return Effect.callback<Engine.Committed, FdbError>((resume) => {
          stamp.then(
            (bytes) => resume(Effect.succeed({ version, versionstamp: encoding.fromBuffer(bytes) })),
            (cause) => resume(isBindingError(cause) ? Effect.fail(stampLost(cause.code)) : Effect.die(cause))
          )
        })
      }
    )
  }))

  readonly dispose: Effect.Effect<void> = Effect.suspend(() => {
    const { tracked } = this
    // Watches outlive the commit, and their promises keep the transaction alive.
    const mayGoOn = this.committed || tracked.isSettled
    if (!mayGoOn) tracked.abort()
    tracked.release()
    return mayGoOn ? Effect.void : tracked.settleWithin(settleTimeout)
  })

  /** Why the next call would be of no use. Nothing has left the process then, so it is no unknown result of a commit. */
  private refused(phase: Phase): FdbError | undefined {
    if (this.deferred !== undefined) return new FdbError({ code: this.deferred, phase: "write" })
    if (!this.tracked.isEnded) return undefined
    return new FdbError({ code: 1025, phase: phase === "commit" ? "write" : phase, detail: "the database was closed" })
  }

  /** Makes a call that has no result. */
  private defer(call: () => void): void {
    if (this.tracked.isEnded || this.deferred !== undefined) return
    const made = attempt(call)
    if (Result.isSuccess(made)) return
    if (!isBindingError(made.failure)) throw made.failure
    this.deferred = made.failure.code
  }

  /** Makes a call of the binding that has a result, and tracks it until that is there. */
  private track<A>(start: () => Promise<A>): Promise<A> {
    return this.tracked.track(invoke(start))
  }

  /** Waits for the result of calls that are tracked. */
  private call<A, B>(phase: Phase, start: () => Promise<A>, decode: (value: A) => B): Effect.Effect<B, FdbError> {
    return Effect.callback<B, FdbError>((resume) => {
      const refused = this.refused(phase)
      if (refused !== undefined) return resume(Effect.fail(refused))
      start().then(
        // At once: later the transaction may have been ended by the closing of the database.
        (value) =>
          resume(Result.match(attempt(() => decode(value)), { onFailure: Effect.die, onSuccess: Effect.succeed })),
        (cause) => resume(fromCause(cause, phase))
      )
    })
  }

  private read<A, B>(
    snapshot: boolean,
    start: (reads: BindingReads) => Promise<A>,
    decode: (value: A) => B
  ): Effect.Effect<B, FdbError> {
    return Effect.suspend(() => {
      this.versioned = true
      return this.call("read", () => start(snapshot ? this.snapshot : this.tracked.native), decode)
    })
  }
}

/**
 * The commit took effect, but the caller cannot be given what it asked for. So it must not look as if it could simply be
 * tried again, whatever the code.
 */
const stampLost = (code: number): FdbError =>
  new FdbError({ code: 1021, phase: "commit", detail: `committed, but its versionstamp was lost with error ${code}` })

/** What a watch comes to, as an effect. */
const watchFired = (fired: boolean): Effect.Effect<void, FdbError> => fired ? Effect.void : watchCancelled

/** Cancelled is cancelled, whether the watch was (1101) or its transaction (1025). */
const watchFailed = (cause: unknown): Effect.Effect<void, FdbError> =>
  isBindingError(cause) && cause.code === 1101 ? watchCancelled : fromCause(cause, "watch")

const watchCancelled = Effect.suspend(() => Effect.fail(new FdbError({ code: 1025, phase: "watch" })))

/** Begins an attempt on a tracked transaction. */
export const make = (tracked: TrackedTransaction, options: Engine.AttemptOptions): Engine.EngineTransaction =>
  new NativeTransaction(tracked, options)
