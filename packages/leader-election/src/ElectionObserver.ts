/**
 * Somebody who is told of every event of the candidates that are made while it is provided.
 */
import * as Context from "effect/Context"
import type { ElectionEvent } from "./ElectionEvent.ts"

/**
 * Called synchronously, in the order of what happens, before it has further consequences. It must be quick and not throw.
 *
 * **Example**
 *
 * ```ts
 * import { ElectionObserver } from "@effect-fdb/leader-election"
 * import { Effect } from "effect"
 *
 * export const narrated = Effect.provideService(ElectionObserver, (event) => console.log(event._tag, event.candidate))
 * ```
 */
export const ElectionObserver = Context.Reference<(event: ElectionEvent) => void>(
  "@effect-fdb/leader-election/ElectionObserver",
  { defaultValue: () => () => {} }
)
