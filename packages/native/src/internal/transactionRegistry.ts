/**
 * Keeps native transactions alive, and counts the promises that native code has not settled.
 *
 * The garbage collector may collect a transaction without references while its commit is under way, which cancels the commit. So the
 * registry references each transaction from its creation until it is released *and* all its promises have settled. A database
 * closes when the count is zero, and the count decides how the process exits (`network.ts`).
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type { BindingTransaction, BindingWatch } from "./binding.ts"

/** A number of promises, and a wait for zero. */
class PendingCount {
  value = 0
  private readonly waiting = new Set<Latch.Latch>()

  add(count: number): void {
    this.value += count
    if (this.value === 0) { for (const latch of this.waiting) latch.openUnsafe() }
  }

  /** Waits for zero, but at most `limit`; returns the number that is left. Works in a finalizer of an interrupted fiber. */
  waitAtMost(limit: Duration.Duration): Effect.Effect<number> {
    return Effect.gen({ self: this }, function*() {
      if (this.value === 0) return 0
      const latch = Latch.makeUnsafe()
      this.waiting.add(latch)
      // The waiting fiber may be uninterruptible, so another fiber ends its wait.
      const timer = yield* Effect.forkDetach(Effect.interruptible(Effect.andThen(Effect.sleep(limit), latch.open)))
      yield* latch.await
      this.waiting.delete(latch)
      yield* Fiber.interrupt(timer)
      return this.value
    })
  }
}

export class TrackedTransaction {
  readonly native: BindingTransaction
  /** Its commit has started: `close` waits for it and does not cancel it. */
  committing = false
  /** It was aborted. A further call would begin a new transaction without options. */
  isEnded = false
  private readonly registry: TransactionRegistry
  private readonly count = new PendingCount()
  private readonly watches = new Set<BindingWatch>()
  private released = false

  constructor(registry: TransactionRegistry, native: BindingTransaction) {
    this.registry = registry
    this.native = native
  }

  /** All its promises have settled. */
  get isSettled(): boolean {
    return this.count.value === 0
  }

  /** Counts a promise until it settles. Every promise of the binding goes through here as soon as it exists. */
  track<A>(promise: Promise<A>): Promise<A> {
    this.add(1)
    const settle = (): void => {
      // `giveUp` has removed it from the count.
      if (this.isSettled) return
      this.add(-1)
      if (this.isSettled) this.leave()
    }
    promise.then(settle, settle)
    return promise
  }

  /** Counts a watch until it settles, and cancels it with the transaction. */
  trackWatch(watch: BindingWatch): Promise<boolean> {
    this.watches.add(watch)
    const forget = (): void => void this.watches.delete(watch)
    watch.promise.then(forget, forget)
    return this.track(watch.promise)
  }

  /** Ends the use of the transaction. The registry keeps it until its promises have settled. */
  release(): void {
    this.released = true
    if (this.isSettled) this.leave()
  }

  /** Cancels everything but a commit. The promises then settle. */
  cancel(): void {
    if (this.committing) this.cancelWatches()
    else this.abort()
  }

  /** Cancels everything. The outcome of a commit under way stays unknown. */
  abort(): void {
    this.isEnded = true
    this.cancelWatches()
    this.native.rawCancel()
    // A multi-version client that has not connected ignores a cancel, but not a reset.
    this.native.rawReset()
  }

  /** Waits until all promises have settled, at most `limit`. */
  settleWithin(limit: Duration.Duration): Effect.Effect<void> {
    return Effect.map(this.count.waitAtMost(limit), (lost) => {
      if (lost > 0) this.giveUp()
    })
  }

  /** Removes the transaction although native code will never settle its promises. */
  giveUp(): void {
    this.registry.forget(this)
    this.add(-this.count.value)
  }

  private add(count: number): void {
    this.count.add(count)
    this.registry.count.add(count)
  }

  private cancelWatches(): void {
    for (const watch of this.watches) watch.cancel()
  }

  private leave(): void {
    // A reset frees the native buffers now; the garbage collector may leave a small object for long.
    if (this.released && this.registry.forget(this) && !this.isEnded) this.native.rawReset()
  }
}

/** The native transactions of one database. */
export class TransactionRegistry {
  /** The promises that native code has not settled. */
  readonly count = new PendingCount()
  private readonly tracked = new Set<TrackedTransaction>()

  get pending(): number {
    return this.count.value
  }

  get size(): number {
    return this.tracked.size
  }

  track(native: BindingTransaction): TrackedTransaction {
    const tracked = new TrackedTransaction(this, native)
    this.tracked.add(tracked)
    return tracked
  }

  /** Removes a transaction; `false` if it was not in the registry. */
  forget(tracked: TrackedTransaction): boolean {
    return this.tracked.delete(tracked)
  }

  /**
   * Cancels all reads and watches, and waits until they and the commits under way have settled. After `limit` it gives up and
   * returns the number of promises that are left.
   */
  drain(limit: Duration.Duration): Effect.Effect<number> {
    return Effect.suspend(() => {
      for (const tracked of this.tracked) tracked.cancel()
      return Effect.map(this.count.waitAtMost(limit), (lost) => {
        if (lost === 0) return 0
        for (const tracked of this.tracked) {
          tracked.abort()
          tracked.giveUp()
        }
        return lost
      })
    })
  }

  /** Cancels everything at the exit of the process, and does not wait. */
  abandon(): void {
    for (const tracked of this.tracked) tracked.abort()
  }
}
