/**
 * Implements an attempt of the engine by a native transaction.
 *
 * **Interruption.** The binding can cancel a whole transaction but not a single read. So the interruption of a read does not affect
 * the transaction (a body that races two reads continues). `dispose`, which core calls at the end of every attempt, cancels the
 * operations under way and waits for them.
 */
import { type Engine, FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type BindingReads, isBindingError } from "./binding.ts"
import * as encoding from "./encoding.ts"
import type { TrackedTransaction } from "./transactionRegistry.ts"

type Phase = FdbError["phase"]

/** An error of FoundationDB keeps its code. Any other is a defect of this package or of the binding. */
const fromCause = (cause: unknown, phase: Phase): Effect.Effect<never, FdbError> =>
  isBindingError(cause) ? Effect.fail(new FdbError({ code: cause.code, phase })) : Effect.die(cause)

/** Sets the options on every attempt, because a native reset drops most of them. */
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

/** Converts a synchronous throw to a rejection. */
const invoke = <A>(start: () => Promise<A>): Promise<A> =>
  Result.getOrElse(attempt(start), (cause) => Promise.reject(cause))

/** A cancelled transaction settles at once unless the network thread does not run. */
const settleTimeout = Duration.seconds(5)

class NativeTransaction implements Engine.EngineTransaction {
  private readonly tracked: TrackedTransaction
  private readonly snapshot: BindingReads
  /** The error of a call without a result. The next call with a result fails with it, as in FoundationDB. */
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
      // Each promise is tracked separately: when one fails, the others are still under way.
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
   * Reads the key first, so that a retryable error of this read fails the transaction. The client would read the key anyway and
   * keeps the value, but it reports an error of its own read only to the watch and lets the transaction commit.
   */
  readonly watch = (key: Uint8Array): Effect.Effect<Engine.EngineWatch, FdbError> =>
    Effect.flatMap(this.get(key, false), () => {
      const refused = this.refused("read")
      if (refused !== undefined) return Effect.fail(refused)
      // By default the binding hides three errors: the promise resolves to `false` without a code.
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
    // The binding gives the versionstamp only if it is requested before the commit. The request fails if the commit fails.
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

  /** Why the next call must not be made. Nothing has left the process, so the outcome of a commit is known. */
  private refused(phase: Phase): FdbError | undefined {
    if (this.deferred !== undefined) return new FdbError({ code: this.deferred, phase: "write" })
    if (!this.tracked.isEnded) return undefined
    return new FdbError({ code: 1025, phase: phase === "commit" ? "write" : phase, detail: "the database was closed" })
  }

  /** Makes a call without a result. Keeps its error. */
  private defer(call: () => void): void {
    if (this.tracked.isEnded || this.deferred !== undefined) return
    const made = attempt(call)
    if (Result.isSuccess(made)) return
    if (!isBindingError(made.failure)) throw made.failure
    this.deferred = made.failure.code
  }

  private track<A>(start: () => Promise<A>): Promise<A> {
    return this.tracked.track(invoke(start))
  }

  private call<A, B>(phase: Phase, start: () => Promise<A>, decode: (value: A) => B): Effect.Effect<B, FdbError> {
    return Effect.callback<B, FdbError>((resume) => {
      const refused = this.refused(phase)
      if (refused !== undefined) return resume(Effect.fail(refused))
      start().then(
        // Decodes at once: the transaction may end when the database closes.
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
 * The commit took effect, but its versionstamp is lost. The error must not look retryable, so it has code 1021 (unknown outcome)
 * instead of `code`.
 */
const stampLost = (code: number): FdbError =>
  new FdbError({ code: 1021, phase: "commit", detail: `committed, but its versionstamp was lost with error ${code}` })

const watchFired = (fired: boolean): Effect.Effect<void, FdbError> => fired ? Effect.void : watchCancelled

/** A cancelled watch (1101) and the watch of a cancelled transaction (1025) fail alike. */
const watchFailed = (cause: unknown): Effect.Effect<void, FdbError> =>
  isBindingError(cause) && cause.code === 1101 ? watchCancelled : fromCause(cause, "watch")

const watchCancelled = Effect.suspend(() => Effect.fail(new FdbError({ code: 1025, phase: "watch" })))

export const make = (tracked: TrackedTransaction, options: Engine.AttemptOptions): Engine.EngineTransaction =>
  new NativeTransaction(tracked, options)
