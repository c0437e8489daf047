/**
 * Watches as a wake-up call: armed inside a transaction that reads the keys, they cut the next wait short when one of them
 * changes. A watch that is lost or refused costs nothing but the wait, for every loop polls as well. One that fails for good, as
 * when the database was replaced, cuts the wait short too.
 */
import type { FdbError, TransactionService } from "@effect-fdb/core"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { mayPass } from "./candidate.ts"

export class WakeUp {
  /** A key has changed, or somebody has called, since they were armed. */
  private isCalled = false
  /** Ends the last wait, if it has not ended. */
  private endWait: () => void = () => {}
  /** The watches that were started last; kept until the next ones are, though one of them may have ended. */
  private armed: Scope.Closeable | undefined = undefined
  private hasEnded = false
  /** A key has changed since they were armed. */
  hasFired = false
  /** Watches of a transaction of which it is not known to be committed. */
  private pending: Scope.Closeable | undefined = undefined
  private readonly parent: Scope.Scope

  private constructor(parent: Scope.Scope) {
    this.parent = parent
  }

  /** Its watches end with the scope. */
  static readonly make: Effect.Effect<WakeUp, never, Scope.Scope> = Effect.gen(function*() {
    const wakeUp = new WakeUp(yield* Effect.scope)
    yield* Effect.addFinalizer(() => wakeUp.disarm)
    return wakeUp
  })

  /** Whether all keys are being watched since the last wake-up. */
  get isArmed(): boolean {
    return this.armed !== undefined && !this.hasEnded
  }

  /**
   * Waits for as long as `pause` does, but no longer than until a key changes; not at all when one has changed since it was
   * armed. One fiber for the pause, where a race would need two.
   */
  during(pause: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.contextWith((context: Context.Context<never>) =>
      Effect.callback<void>((resume) => {
        if (this.isCalled) return resume(Effect.void)
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
  readonly disarm: Effect.Effect<void> = Effect.suspend(() => this.disarmed())

  /** Cuts the wait short, whatever the watches say; they are to be armed again after it, as if one of them had fired. */
  readonly call: Effect.Effect<void> = Effect.suspend(() => {
    // First: whoever waits goes on within the cut, and may set the next ones.
    const cancelled = this.disarmed()
    this.cut()
    return cancelled
  })

  /** Takes the watches away, and gives what cancels them. */
  private disarmed(): Effect.Effect<void> {
    const scope = this.armed
    this.armed = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  }

  private cut(): void {
    this.isCalled = true
    this.endWait()
  }

  /** Forgets the watches of an attempt that came to nothing. */
  private readonly forget: Effect.Effect<void> = Effect.suspend(() => {
    const scope = this.pending
    this.pending = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })

  /**
   * What has called so far is about to be answered, by a transaction that reads everything and arms anew. What comes from here
   * on may come too late for it.
   */
  answer(): void {
    this.isCalled = false
  }

  /**
   * Watches the keys from the version of this transaction on. To be followed by {@link started} once it is committed, or by
   * another attempt to arm.
   */
  arm(tx: TransactionService, keys: ReadonlyArray<Uint8Array>): Effect.Effect<Armed> {
    return Effect.gen({ self: this }, function*() {
      yield* this.forget
      this.hasFired = false
      const scope = yield* Scope.fork(this.parent)
      this.pending = scope
      const watches = yield* Effect.forEach(keys, (key) => Effect.result(tx.watch(key)), { concurrency: "unbounded" })
        .pipe(
          Scope.provide(scope)
        )
      return { scope, fired: watches.flatMap((watch) => watch._tag === "Success" ? [watch.success] : []) }
    })
  }

  /** The transaction that armed is committed: the next wait is cut short by these watches. */
  started(armed: Armed): Effect.Effect<void> {
    return Effect.contextWith((context: Context.Context<never>) =>
      Effect.map(this.disarm, () => {
        this.pending = undefined
        this.armed = armed.scope
        // Only another answer takes back a call that has come meanwhile.
        this.hasEnded = this.isCalled
        const run = Effect.runForkWith(context)
        // Not in the scope, which is left the sooner: with its end the watches end, and so do these.
        for (const fired of armed.fired) run(fired).addObserver((exit) => this.ended(armed, exit))
      })
    )
  }

  private ended(armed: Armed, exit: Exit.Exit<void, FdbError>): void {
    if (this.armed !== armed.scope) return
    this.hasEnded = true
    if (Exit.isSuccess(exit)) this.hasFired = true
    else if (!Option.exists(Cause.findErrorOption(exit.cause), (error) => !mayPass(error))) return
    this.cut()
  }
}

/** Watches that a transaction has asked for. */
export interface Armed {
  readonly scope: Scope.Closeable
  readonly fired: ReadonlyArray<Effect.Effect<void, FdbError>>
}
