/** Signals that this process gets, for whoever wants to decide about them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/** See the module. */
export class Signals extends Context.Service<Signals, {
  /** Hands these signals to `handle` instead of what they do by default, until the scope is closed. */
  readonly take: (
    signals: ReadonlyArray<NodeJS.Signals>,
    handle: (signal: NodeJS.Signals) => void
  ) => Effect.Effect<void, never, Scope.Scope>
}>()("@effect-fdb/cli/Signals") {}

/** Signals that ask a process to end. */
export const ends: ReadonlyArray<NodeJS.Signals> = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]

/** Those of this operating system process. */
export const layerProcess: Layer.Layer<Signals> = Layer.succeed(Signals, {
  take: (signals, handle) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        for (const signal of signals) process.on(signal, handle)
      }),
      () =>
        Effect.sync(() => {
          for (const signal of signals) process.off(signal, handle)
        })
    )
})
