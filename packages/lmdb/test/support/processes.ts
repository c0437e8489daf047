/** Real processes on a real directory, for tests across processes. */
import { Effect } from "effect"
import { type ChildProcess, fork, type ForkOptions } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** A directory that is removed afterwards. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-lmdb-"))),
  (directory) =>
    Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }))
)

/** Starts one of the programs beside this file; it is killed when the scope is closed. */
export const start = (program: string, ...args: ReadonlyArray<string>) => startBy({}, program, ...args)

/** Starts it as {@link start} does, by something else than Node itself. */
export const startBy = (how: ForkOptions, program: string, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => fork(path.join(import.meta.dirname, program), args, { execArgv: [], ...how })),
    (child) =>
      Effect.suspend(() => {
        child.kill("SIGCONT")
        child.kill("SIGKILL")
        return exited(child)
      })
  )

/** Waits for the end of a process, with its exit code or signal. */
export const exited = (child: ChildProcess): Effect.Effect<number | string> =>
  Effect.callback((resume) => {
    const ended = () => child.exitCode ?? child.signalCode
    if (ended() !== null) return resume(Effect.succeed(ended()!))
    child.once("exit", () => resume(Effect.succeed(ended()!)))
  })

/** Waits for the next message of a process, and fails if it ends before. */
export const message = <A = string>(child: ChildProcess): Effect.Effect<A> =>
  Effect.callback((resume) => {
    const settle = (effect: Effect.Effect<A>) => {
      child.off("message", onMessage)
      child.off("exit", onExit)
      resume(effect)
    }
    const onMessage = (value: unknown) => settle(Effect.succeed(value as A))
    const onExit = () => settle(Effect.die(`the process ended with ${child.exitCode ?? child.signalCode}`))
    child.on("message", onMessage)
    child.on("exit", onExit)
  })
