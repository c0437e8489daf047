/** Real processes with a mesh each, and one of the test process. */
import { Effect, type Scope } from "effect"
import { type ChildProcess, fork, type ForkOptions } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Mesh } from "../../src/internal/mesh.ts"

/** A directory for sockets that is removed afterwards. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-witness-"))
    fs.chmodSync(directory, 0o700)
    return directory
  }),
  (directory) =>
    Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }))
)

export const openMesh = (directory: string): Effect.Effect<Mesh, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const mesh = new Mesh(directory)
      await mesh.open()
      return mesh
    }),
    (mesh) => Effect.sync(() => mesh.close())
  )

/** Waits for the end of a process, with its exit code or signal. */
export const exited = (child: ChildProcess): Effect.Effect<number | string> =>
  Effect.callback((resume) => {
    const ended = () => child.exitCode ?? child.signalCode
    if (ended() !== null) return resume(Effect.succeed(ended()!))
    child.once("exit", () => resume(Effect.succeed(ended()!)))
  })

const answer = <A>(child: ChildProcess, key: string): Effect.Effect<A> =>
  Effect.callback((resume) => {
    const onMessage = (message: { readonly [key: string]: A }) => {
      if (!(key in message)) return
      child.off("message", onMessage)
      resume(Effect.succeed(message[key]!))
    }
    child.on("message", onMessage)
  })

export interface Member {
  readonly child: ChildProcess
  /** The process with the mesh. */
  readonly pid: number
  /** Has it do something, and waits for the answer. */
  readonly ask: <A = unknown>(command: string, argument?: unknown) => Effect.Effect<A>
  /** Has it do something that it cannot answer. */
  readonly order: (command: string, argument?: unknown) => void
  readonly kill: (signal: NodeJS.Signals) => void
}

/** Starts a process with a mesh; it is killed when the scope closes. */
export const start = Effect.fnUntraced(function*(directory: string, mode = "", options: ForkOptions = {}) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      fork(path.join(import.meta.dirname, "member.mjs"), [directory, mode], { execArgv: [], ...options })
    ),
    (child) =>
      Effect.suspend(() => {
        child.kill("SIGCONT")
        child.kill("SIGKILL")
        return exited(child)
      })
  )
  const opened = answer(child, "done")
  const pid = mode === "cluster" ? yield* answer<number>(child, "worker") : child.pid!
  yield* opened
  const member: Member = {
    child,
    pid,
    ask: <A>(command: string, argument?: unknown) =>
      Effect.suspend(() => {
        child.send([command, argument])
        return answer<A>(child, "done")
      }),
    order: (command, argument) => void child.send([command, argument]),
    kill: (signal) => void process.kill(pid, signal)
  }
  return member
})

/** Waits until something holds. */
export const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.delay(until(holds), "2 millis"))
