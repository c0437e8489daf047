import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

export interface Shared<A, E> {
  /** The result of the last run, if that was begun within the period; else that of a new one. */
  readonly recent: Effect.Effect<A, E>
  /** The result of a run that begins now. */
  readonly anew: Effect.Effect<A, E>
}

/**
 * Runs an effect at most once in `period`, however many ask for its result, and whichever of them give up: so clients cannot make
 * a process ask its store more often than that.
 */
export const shared = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  period: Duration.Input
): Effect.Effect<Shared<A, E>, never, R | Scope.Scope> => {
  const nanos = Duration.toNanosUnsafe(Duration.fromInputUnsafe(period))
  let last: { readonly at: bigint; readonly fiber: Fiber.Fiber<A, E> } | undefined
  return Effect.map(Effect.all([Effect.scope, Effect.context<R>()]), ([scope, context]) => {
    const anew = Effect.gen(function*() {
      const at = yield* Clock.monotonicTimeNanos
      const fiber = yield* Effect.forkIn(Effect.provideContext(effect, context), scope)
      last = { at, fiber }
      return yield* Fiber.join(fiber)
    })
    const recent = Effect.flatMap(
      Clock.monotonicTimeNanos,
      (now) =>
        last === undefined || (last.fiber.pollUnsafe() !== undefined && now - last.at >= nanos)
          ? anew
          : Fiber.join(last.fiber)
    )
    return { recent, anew }
  })
}
