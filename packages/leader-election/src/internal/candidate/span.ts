/** Spans, made only where a tracer is installed: on the way from one leader to the next, none is to be made for nobody. */
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import type { ElectionKeys } from "../storage/keys.ts"

/** Of which candidate, in which election. */
export interface About {
  readonly id: string
  readonly keys: Pick<ElectionKeys, "name">
}

/** Runs an effect of a candidate in a span. */
export const within = (name: string, { id, keys }: About, more?: Readonly<Record<string, unknown>>) =>
<A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) =>
    fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer
      ? effect
      : Effect.withSpan(effect, name, { attributes: { election: keys.name, candidate: id, ...more } })
  ) as Effect.Effect<A, E, R>
