import * as Context from "effect/Context"
import type { ElectionEvent } from "./ElectionEvent.ts"

/**
 * A function that gets each event of the candidates that are made while it is provided. It is called synchronously; it must be
 * quick and must not throw.
 *
 * The events of one candidate come in their order, and a loss comes before its consequences. Events of different candidates may
 * come in another order than that of the database: a successor's election may come before its predecessor's resignation.
 *
 * @example const logged = Effect.provideService(ElectionObserver, ({ _tag, candidate }) => console.log(_tag, candidate))
 * @since 0.1.0
 * @category references
 */
export const ElectionObserver = Context.Reference<(event: ElectionEvent) => void>(
  "@effect-fdb/leader-election/ElectionObserver",
  { defaultValue: () => () => {} }
)
