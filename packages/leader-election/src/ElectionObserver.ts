/**
 * Somebody who is told of every event of the candidates that are made while it is provided.
 */
import * as Context from "effect/Context"
import type { ElectionEvent } from "./ElectionEvent.ts"

/**
 * Called synchronously, in the order of what happens to a candidate; of a loss before anything follows from it. What happens
 * to different candidates may be told in another order than the database's: a successor may be told of its election before its
 * predecessor is of having resigned. It must be quick and not throw.
 *
 * **Example**
 *
 * ```ts
 * import { ElectionObserver } from "@effect-fdb/leader-election"
 * import { Effect } from "effect"
 *
 * export const narrated = Effect.provideService(ElectionObserver, (event) => console.log(event._tag, event.candidate))
 * ```
 *
 * @since 0.1.0
 * @category references
 */
export const ElectionObserver = Context.Reference<(event: ElectionEvent) => void>(
  "@effect-fdb/leader-election/ElectionObserver",
  { defaultValue: () => () => {} }
)
