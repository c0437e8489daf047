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

type Handle = (signal: NodeJS.Signals) => void

/** Those of this operating system process. Who has taken a signal last gets it. */
export const layerProcess: Layer.Layer<Signals> = Layer.sync(Signals, () => {
  const takers = new Map<NodeJS.Signals, Array<Handle>>()
  const add = (signal: NodeJS.Signals, handle: Handle) => {
    const handles = takers.get(signal)
    if (handles !== undefined) return void handles.push(handle)
    const only = [handle]
    takers.set(signal, only)
    process.on(signal, () => only.at(-1)?.(signal))
  }
  const remove = (signal: NodeJS.Signals, handle: Handle) => {
    const handles = takers.get(signal) ?? []
    handles.splice(handles.lastIndexOf(handle), 1)
    if (handles.length > 0) return
    takers.delete(signal)
    process.removeAllListeners(signal)
  }
  return {
    take: (signals, handle) =>
      Effect.acquireRelease(
        Effect.sync(() => signals.forEach((signal) => add(signal, handle))),
        () => Effect.sync(() => signals.forEach((signal) => remove(signal, handle)))
      )
  }
})
