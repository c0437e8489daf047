/** Threads. Nothing can be interrupted within a history, which is computed in one go; but its thread can be ended. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Worker } from "node:worker_threads"
import type { Tasks } from "./worker.ts"

/** Node runs no TypeScript: where the sources are loaded, as in tests, this is of the last build. */
const program = new URL("../../dist/internal/worker.js", import.meta.url)

/** Asks a thread for something, and for nothing else until that is there. */
interface Thread {
  <Name extends keyof Tasks>(name: Name, input: Parameters<Tasks[Name]>[0]): Effect.Effect<ReturnType<Tasks[Name]>>
}

/** A thread that ends with the scope, whatever it is at. */
export const make: Effect.Effect<Thread, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    // How modules are resolved where the sources are loaded is nothing to the build.
    Effect.sync(() => new Worker(program, { execArgv: [] })),
    (worker) => Effect.promise(() => worker.terminate())
  ),
  (worker): Thread => <Name extends keyof Tasks>(name: Name, input: Parameters<Tasks[Name]>[0]) =>
    Effect.callback<ReturnType<Tasks[Name]>>((resume) => {
      const settle = (result: Effect.Effect<ReturnType<Tasks[Name]>>) => {
        worker.off("message", succeed).off("error", fail)
        resume(result)
      }
      const succeed = (output: ReturnType<Tasks[Name]>) => settle(Effect.succeed(output))
      const fail = (error: unknown) => settle(Effect.die(error))
      worker.on("message", succeed).on("error", fail)
      worker.postMessage({ name, input }, [])
    })
)
