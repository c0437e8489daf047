/** One campaign or tenure at a time: a lock that is taken by one effect and released by another. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Semaphore from "effect/Semaphore"

/**
 * Takes a lock, which is to be released by `lock.release(1)`. To be run uninterruptibly: only the wait, which it `restore`s, can be
 * interrupted. `restore(lock.take(1))` would lose the lock with a fiber that is interrupted after it has taken it, before its next step.
 */
export const take = (
  lock: Semaphore.Semaphore,
  restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const taken = Scope.makeUnsafe()
    return Effect.onError(
      restore(Scope.provide(lock.takeScoped(1), taken)),
      () => Scope.close(taken, Exit.void)
    )
  })
