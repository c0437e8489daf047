/**
 * Loads what the subcommands do when one of them runs. `--help`, `--version` and completions need their flags only; `run` and
 * `simulate` have files of their own.
 */
import * as Effect from "effect/Effect"
import type * as Handlers from "./handlers.ts"

let loaded: typeof Handlers | undefined

const load = Effect.map(Effect.promise(() => import("./handlers.ts")), (handlers) => loaded = handlers)

export const handled = <A, E, R>(use: (handlers: typeof Handlers) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => loaded === undefined ? Effect.flatMap(load, use) : use(loaded))
