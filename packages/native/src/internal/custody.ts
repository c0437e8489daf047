/**
 * Who keeps the native objects alive, and who knows what native code is still working on.
 *
 * A transaction that JavaScript no longer references is collected even while its commit is under way, which cancels the
 * commit. So each one is kept in a set from its creation until it has been let go *and* all its promises have settled.
 * The count of those promises is what closing a database waits for, and what decides how the process may exit.
 */
import * as Effect from "effect/Effect"
import type { BindingTransaction, BindingWatch } from "./binding.ts"

/** Runs `resume` when `isIdle` holds; now, or when `wake` is next called. */
class Idle {
  private readonly waiting: Array<() => void> = []
  private readonly isIdle: () => boolean

  constructor(isIdle: () => boolean) {
    this.isIdle = isIdle
  }

  readonly wait: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.isIdle()) return resume(Effect.void)
    this.waiting.push(() => resume(Effect.void))
  })

  wake(): void {
    for (const resume of this.waiting.splice(0)) resume()
  }
}

/** A native transaction in custody. */
export class Held {
  readonly native: BindingTransaction
  /** From the start of the commit on; such a transaction is waited for, never cancelled. */
  committing = false
  private readonly custody: Custody
  private readonly idle = new Idle(() => this.pending === 0)
  private readonly watches = new Set<BindingWatch>()
  private pending = 0
  private released = false

  constructor(custody: Custody, native: BindingTransaction) {
    this.custody = custody
    this.native = native
  }

  /** Completes when none of its promises is unsettled. */
  get settled(): Effect.Effect<void> {
    return this.idle.wait
  }

  get isSettled(): boolean {
    return this.pending === 0
  }

  /** Counts a promise until it settles. Every promise of the binding goes through here as soon as it exists. */
  track<A>(promise: Promise<A>): Promise<A> {
    this.pending++
    this.custody.pending++
    const settle = (): void => {
      this.pending--
      this.custody.pending--
      if (this.pending === 0) this.leave()
      this.custody.wake()
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

  /** Asks native code to end what it is doing for this transaction; the promises then settle by themselves. */
  cancel(): void {
    for (const watch of this.watches) watch.cancel()
    if (!this.committing) this.native.rawCancel()
  }

  /** As {@link cancel}, and the commit too: its outcome is then nobody's concern any more. */
  abandon(): void {
    for (const watch of this.watches) watch.cancel()
    this.native.rawCancel()
  }

  private leave(): void {
    this.idle.wake()
    // The native buffers would otherwise be freed only when this object is collected, and a small one seldom is.
    if (this.released && this.custody.forget(this)) this.native.rawReset()
  }
}

/** The native transactions of one database. */
export class Custody {
  /** How many promises of native code are unsettled. */
  pending = 0
  private readonly held = new Set<Held>()
  private readonly idle = new Idle(() => this.pending === 0)

  /** Takes a transaction into custody. */
  hold(native: BindingTransaction): Held {
    const held = new Held(this, native)
    this.held.add(held)
    return held
  }

  /** How many transactions are in custody. */
  get size(): number {
    return this.held.size
  }

  forget(held: Held): boolean {
    return this.held.delete(held)
  }

  wake(): void {
    if (this.pending === 0) this.idle.wake()
  }

  /** Cancels all reads and watches, and completes when they, and the commits under way, have settled. */
  readonly drain: Effect.Effect<void> = Effect.suspend(() => {
    for (const held of this.held) held.cancel()
    return this.idle.wait
  })

  /** Cancels everything, commits too, without waiting: for the end of the process. */
  abandon(): void {
    for (const held of this.held) held.abandon()
  }
}
