/**
 * Watches on keys: set in a transaction that reads the keys, they cut the next wait short when one changes. Every loop polls as
 * well, so a watch that is lost costs no more than the wait. One that fails for good, as when the database was replaced, cuts the
 * wait short too.
 */
import { Bytes, type FdbError, type TransactionService } from "@effect-fdb/core"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { isTransient } from "./contact.ts"

export class Watches {
  /** A key has changed, or {@link wake} was called, since the last {@link acknowledge}. */
  private isWoken = false
  /** Ends the last wait, if it has not ended. */
  private endWait: () => void = () => {}
  /** The watches that were started last; kept until the next ones are, though one of them may have ended. */
  private current: Scope.Closeable | undefined = undefined
  private hasEnded = false
  /** A key has changed since they were set. */
  hasFired = false
  /** The keys that are being watched. */
  private keys: ReadonlyArray<Uint8Array> = []
  /** Watches of a transaction of which it is not known to be committed. */
  private pending: Scope.Closeable | undefined = undefined
  private readonly parent: Scope.Scope

  private constructor(parent: Scope.Scope) {
    this.parent = parent
  }

  /** Its watches end with the scope. */
  static readonly make: Effect.Effect<Watches, never, Scope.Scope> = Effect.gen(function*() {
    const watches = new Watches(yield* Effect.scope)
    yield* Effect.addFinalizer(() => watches.cancel)
    return watches
  })

  /** Whether all keys are being watched. */
  get isWatching(): boolean {
    return this.current !== undefined && !this.hasEnded
  }

  /** Whether these very keys are being watched. */
  isWatchingAll(keys: ReadonlyArray<Uint8Array>): boolean {
    return this.isWatching && keys.every((key) => this.keys.some((watched) => Bytes.equals(key, watched)))
  }

  /**
   * Waits for as long as `pause` does, but only until a key changes. One fiber for the pause, where a race would need two.
   */
  during(pause: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.contextWith((context: Context.Context<never>) =>
      Effect.callback<void>((resume) => {
        if (this.isWoken) return resume(Effect.void)
        const pausing = Effect.runForkWith(context)(pause)
        this.endWait = () => {
          resume(Effect.void)
          pausing.interruptUnsafe()
        }
        pausing.addObserver(resume)
        return Effect.sync(() => pausing.interruptUnsafe())
      })
    )
  }

  /** Cancels the watches. */
  readonly cancel: Effect.Effect<void> = Effect.suspend(() => this.remove())

  /** Cuts the wait short. The watches are to be set again after it, as if one of them had fired. */
  readonly wake: Effect.Effect<void> = Effect.suspend(() => {
    // First: whoever waits goes on within the cut, and may set the next ones.
    const cancelled = this.remove()
    this.cut()
    return cancelled
  })

  /** Takes the watches away, and gives what cancels them. */
  private remove(): Effect.Effect<void> {
    const scope = this.current
    this.current = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  }

  /** Cuts the wait short, and leaves the watches. */
  readonly alert = (): void => this.cut()

  private cut(): void {
    this.isWoken = true
    this.endWait()
  }

  /** Forgets the watches of an attempt that came to nothing. */
  private readonly forget: Effect.Effect<void> = Effect.suspend(() => {
    const scope = this.pending
    this.pending = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })

  /**
   * A transaction is about to read everything, and so answers what has fired so far. What comes from here on may come too late
   * for it.
   */
  acknowledge(): void {
    this.isWoken = false
  }

  /**
   * Watches the keys from the version of this transaction on. To be followed by {@link use} once it is committed, or by
   * another attempt.
   */
  set(tx: TransactionService, keys: ReadonlyArray<Uint8Array>): Effect.Effect<WatchSet> {
    return Effect.gen({ self: this }, function*() {
      yield* this.forget
      this.hasFired = false
      const scope = yield* Scope.fork(this.parent)
      this.pending = scope
      const watches = yield* Effect.forEach(keys, (key) => Effect.result(tx.watch(key)), { concurrency: "unbounded" })
        .pipe(
          Scope.provide(scope)
        )
      return { scope, keys, fired: watches.flatMap((watch) => watch._tag === "Success" ? [watch.success] : []) }
    })
  }

  /** The transaction that set them is committed: the next wait is cut short by these watches. */
  use(watchSet: WatchSet): Effect.Effect<void> {
    return Effect.contextWith((context: Context.Context<never>) =>
      Effect.map(this.cancel, () => {
        this.pending = undefined
        this.current = watchSet.scope
        this.keys = watchSet.keys
        // Only an acknowledgement takes back a wake-up that has come meanwhile.
        this.hasEnded = this.isWoken
        const run = Effect.runForkWith(context)
        // Not in the scope, which is left the sooner: with its end the watches end, and so do these.
        for (const fired of watchSet.fired) run(fired).addObserver((exit) => this.ended(watchSet, exit))
      })
    )
  }

  private ended(watchSet: WatchSet, exit: Exit.Exit<void, FdbError>): void {
    if (this.current !== watchSet.scope) return
    this.hasEnded = true
    if (Exit.isSuccess(exit)) this.hasFired = true
    else if (!Option.exists(Cause.findErrorOption(exit.cause), (error) => !isTransient(error))) return
    this.cut()
  }
}

/** Watches that a transaction has asked for. */
export interface WatchSet {
  readonly scope: Scope.Closeable
  readonly keys: ReadonlyArray<Uint8Array>
  readonly fired: ReadonlyArray<Effect.Effect<void, FdbError>>
}
