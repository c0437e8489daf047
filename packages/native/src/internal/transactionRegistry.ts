/**
 * Keeps native transactions alive, and counts the promises that native code has not settled.
 *
 * The garbage collector takes a transaction that JavaScript no longer references, also while its commit is under way, and that
 * cancels the commit. So the registry references each transaction from its creation until it is released *and* all its promises
 * have settled. Closing a database waits until the count of those promises is zero, and the count decides how the process exits.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BindingTransaction, BindingWatch } from "./binding.ts"
import { Idle } from "./idle.ts"

/** A native transaction in a registry. */
export class TrackedTransaction {
  readonly native: BindingTransaction
  /** Its commit has started: closing waits for it and does not cancel it. */
  committing = false
  private readonly registry: TransactionRegistry
  private readonly idle = new Idle(() => this.pending === 0)
  private readonly watches = new Set<BindingWatch>()
  private pending = 0
  private ended = false
  private released = false

  constructor(registry: TransactionRegistry, native: BindingTransaction) {
    this.registry = registry
    this.native = native
  }

  /** All its promises have settled. */
  get isSettled(): boolean {
    return this.pending === 0
  }

  /** It was aborted. Native code would take another call for the first of a new transaction, without options. */
  get isEnded(): boolean {
    return this.ended
  }

  /** Counts a promise until it settles. Every promise of the binding goes through here as soon as it exists. */
  track<A>(promise: Promise<A>): Promise<A> {
    this.pending++
    this.registry.begin()
    const settle = (): void => {
      // It was given up, and its promises no longer count.
      if (this.pending === 0) return
      this.pending--
      if (this.pending === 0) this.leave()
      this.registry.end(1)
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

  /** Nobody uses the transaction any more. The registry keeps it until its promises have settled. */
  release(): void {
    this.released = true
    if (this.pending === 0) this.leave()
  }

  /** Cancels everything but a commit. The promises then settle by themselves. */
  cancel(): void {
    if (this.committing) this.cancelWatches()
    else this.abort()
  }

  /** Cancels everything. The result of a commit under way stays unknown. */
  abort(): void {
    this.ended = true
    this.cancelWatches()
    this.native.rawCancel()
    // A multi-version client ignores a cancel before it has connected, but not a reset.
    this.native.rawReset()
  }

  /** Waits until all promises have settled. After `limit` nobody waits for the rest. */
  settleWithin(limit: Duration.Duration): Effect.Effect<void> {
    return Effect.map(this.idle.waitAtMost(limit), (settled) => {
      if (!settled) this.giveUp()
    })
  }

  /** Removes the transaction though native code has not settled its promises, and never will. */
  giveUp(): void {
    const lost = this.pending
    this.pending = 0
    this.registry.forget(this)
    this.registry.end(lost)
  }

  private cancelWatches(): void {
    for (const watch of this.watches) watch.cancel()
  }

  private leave(): void {
    this.idle.wake()
    // A reset frees the native buffers now; the garbage collector seldom takes an object as small as this one.
    if (this.released && this.registry.forget(this) && !this.ended) this.native.rawReset()
  }
}

/** The native transactions of one database. */
export class TransactionRegistry {
  private count = 0
  private readonly tracked = new Set<TrackedTransaction>()
  private readonly idle = new Idle(() => this.count === 0)

  /** How many promises native code has not settled. */
  get pending(): number {
    return this.count
  }

  /** How many transactions it keeps alive. */
  get size(): number {
    return this.tracked.size
  }

  /** Keeps a transaction alive from now on. */
  track(native: BindingTransaction): TrackedTransaction {
    const tracked = new TrackedTransaction(this, native)
    this.tracked.add(tracked)
    return tracked
  }

  /** Lets a transaction go; tells whether it was here. */
  forget(tracked: TrackedTransaction): boolean {
    return this.tracked.delete(tracked)
  }

  /** A promise has begun to count. */
  begin(): void {
    this.count++
  }

  /** So many promises no longer count. */
  end(settled: number): void {
    this.count -= settled
    this.idle.wake()
  }

  /**
   * Cancels all reads and watches, and waits until they and the commits under way have settled. After `limit` it gives up the
   * rest, and tells how many promises that is.
   */
  drain(limit: Duration.Duration): Effect.Effect<number> {
    return Effect.suspend(() => {
      for (const tracked of this.tracked) tracked.cancel()
      return Effect.map(this.idle.waitAtMost(limit), (idle) => {
        if (idle) return 0
        const lost = this.count
        for (const tracked of this.tracked) {
          tracked.abort()
          tracked.giveUp()
        }
        return lost
      })
    })
  }

  /** Cancels everything, commits too, and does not wait: for the exit of the process. */
  abandon(): void {
    for (const tracked of this.tracked) tracked.abort()
  }
}
