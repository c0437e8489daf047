/** Worker threads. A history is computed synchronously and cannot be interrupted, but its thread can be terminated. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Worker } from "node:worker_threads"
import type { Tasks } from "./worker.ts"

/** The worker of the last build, also in tests, because a thread of Node cannot load the sources. */
const program = new URL("../../dist/internal/worker.js", import.meta.url)

/** Sends a request to a thread. The next may follow only after its result. */
interface Thread {
  <Name extends keyof Tasks>(name: Name, input: Parameters<Tasks[Name]>[0]): Effect.Effect<ReturnType<Tasks[Name]>>
}

/** A thread that is terminated with the scope. */
export const make: Effect.Effect<Thread, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    // The build does not use the conditions by which tests load the sources.
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
