/**
 * Who keeps the native objects alive, and who knows what native code is still working on.
 *
 * A transaction that JavaScript no longer references is collected even while its commit is under way, which cancels the
 * commit. So each one is kept in a set from its creation until it has been let go *and* all its promises have settled.
 * The count of those promises is what closing a database waits for, and what decides how the process may exit.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BindingTransaction, BindingWatch } from "./binding.ts"
import { Idle } from "./idle.ts"

/** A native transaction in custody. */
export class Held {
  readonly native: BindingTransaction
  /** From the start of the commit on; such a transaction is waited for, not cancelled. */
  committing = false
  private readonly custody: Custody
  private readonly idle = new Idle(() => this.pending === 0)
  private readonly watches = new Set<BindingWatch>()
  private pending = 0
  private ended = false
  private released = false

  constructor(custody: Custody, native: BindingTransaction) {
    this.custody = custody
    this.native = native
  }

  /** None of its promises is unsettled. */
  get isSettled(): boolean {
    return this.pending === 0
  }

  /** It was ended, and is not to be used: after its reset it would be a new transaction, without options. */
  get isEnded(): boolean {
    return this.ended
  }

  /** Counts a promise until it settles. Every promise of the binding goes through here as soon as it exists. */
  track<A>(promise: Promise<A>): Promise<A> {
    this.pending++
    this.custody.begin()
    const settle = (): void => {
      // Zero once it was given up.
      if (this.pending === 0) return
      this.pending--
      if (this.pending === 0) this.leave()
      this.custody.end(1)
    }
    promise.then(settle, settle)
    return promise
  }

  /** As {@link track}, for a watch, which is to be cancelled when everything else is. */
  trackWatch(watch: BindingWatch): Promise<boolean> {
    this.watches.add(watch)
    const forget = (): void => void this.watches.delete(watch)
    watch.promise.then(forget, forget)
    return this.track(watch.promise)
  }

  /** Nobody will use the transaction again. It stays in custody while promises are unsettled. */
  release(): void {
    this.released = true
    if (this.pending === 0) this.leave()
  }

  /** Asks native code to end what it is doing, but for a commit; the promises then settle by themselves. */
  cancel(): void {
    if (this.committing) this.cancelWatches()
    else this.abort()
  }

  /** Ends the transaction, whatever it is doing: the outcome of a commit under way remains unknown. */
  abort(): void {
    this.ended = true
    this.cancelWatches()
    this.native.rawCancel()
    // A client that has loaded several versions of the library ignores a cancel before it has connected; not a reset.
    this.native.rawReset()
  }

  /** Waits until all promises have settled; what has not by then is no longer waited for by anybody. */
  settleWithin(limit: Duration.Duration): Effect.Effect<void> {
    return Effect.map(this.idle.waitAtMost(limit), (settled) => {
      if (!settled) this.giveUp()
    })
  }

  /** Leaves custody with promises unsettled, which native code will never settle. */
  giveUp(): void {
    const lost = this.pending
    this.pending = 0
    this.custody.forget(this)
    this.custody.end(lost)
  }

  private cancelWatches(): void {
    for (const watch of this.watches) watch.cancel()
  }

  private leave(): void {
    this.idle.wake()
    // The native buffers would otherwise be freed only when this object is collected, and a small one seldom is.
    if (this.released && this.custody.forget(this) && !this.ended) this.native.rawReset()
  }
}

/** The native transactions of one database. */
export class Custody {
  private count = 0
  private readonly held = new Set<Held>()
  private readonly idle = new Idle(() => this.count === 0)

  /** How many promises of native code are unsettled. */
  get pending(): number {
    return this.count
  }

  /** How many transactions are in custody. */
  get size(): number {
    return this.held.size
  }

  /** Takes a transaction into custody. */
  hold(native: BindingTransaction): Held {
    const held = new Held(this, native)
    this.held.add(held)
    return held
  }

  /** Whether it was in custody until now. */
  forget(held: Held): boolean {
    return this.held.delete(held)
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
   * Cancels all reads and watches, and waits until they, and the commits under way, have settled. After `limit` it gives
   * up what is left, and tells how many promises that were.
   */
  drain(limit: Duration.Duration): Effect.Effect<number> {
    return Effect.suspend(() => {
      for (const held of this.held) held.cancel()
      return Effect.map(this.idle.waitAtMost(limit), (idle) => {
        if (idle) return 0
        const lost = this.count
        for (const held of this.held) {
          held.abort()
          held.giveUp()
        }
        return lost
      })
    })
  }

  /** Ends everything, commits too, without waiting: for the end of the process. */
  abandon(): void {
    for (const held of this.held) held.abort()
  }
}
