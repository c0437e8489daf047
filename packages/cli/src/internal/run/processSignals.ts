/** The signals of this process, as a service. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Signal } from "effect/process/ChildProcess"
import type * as Scope from "effect/Scope"

type Handle = (signal: Signal) => void

export class Signals extends Context.Service<Signals, {
  /** Handles signals by `handle` until the scope closes. The last call that names a signal gets it. */
  readonly take: (signals: ReadonlyArray<Signal>, handle: Handle) => Effect.Effect<void, never, Scope.Scope>
}>()("@effect-fdb/cli/Signals") {}

export const layerProcess: Layer.Layer<Signals> = Layer.sync(Signals, () => {
  const takers: Array<{ readonly signals: ReadonlyArray<Signal>; readonly handle: Handle }> = []
  const takerOf = (signal: Signal) => takers.findLast(({ signals }) => signals.includes(signal))
  const deliver = (signal: Signal) => takerOf(signal)?.handle(signal)
  return {
    take: Effect.fnUntraced(function*(signals, handle) {
      const taker = { signals, handle }
      for (const signal of signals) if (takerOf(signal) === undefined) process.on(signal, deliver)
      takers.push(taker)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          takers.splice(takers.indexOf(taker), 1)
          for (const signal of signals) if (takerOf(signal) === undefined) process.off(signal, deliver)
        })
      )
    })
  }
})

export const ends: ReadonlyArray<Signal> = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]
