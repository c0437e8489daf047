/** Worker threads. A history is computed synchronously and cannot be interrupted, but its thread can be terminated. */
import * as Effect from "effect/Effect"
import { Worker } from "node:worker_threads"
import type { Tasks } from "./worker.ts"

/** The worker of the last build, also in tests, because a thread of Node cannot load the sources. */
const program = new URL("../../dist/internal/worker.js", import.meta.url)

/** A thread that is terminated with the scope. The next request may follow only after the result of the last. */
export const make = Effect.map(
  Effect.acquireRelease(
    // The build does not use the conditions by which tests load the sources.
    Effect.sync(() => new Worker(program, { execArgv: [] })),
    (worker) => Effect.promise(() => worker.terminate())
  ),
  (worker) => <Name extends keyof Tasks>(name: Name, input: Parameters<Tasks[Name]>[0]) =>
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
