/** The watchdog process as the process that it guards against knows it; see `watchdogProgram.ts`. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { SystemRefused } from "../../Failure.ts"
import { spawn } from "./spawn.ts"

export interface WatchdogProcess {
  /** Tells the deadlines, at once and without waiting: the belief's end, and when nothing may be left of the group. */
  readonly until: (believesUntil: bigint, killAt: bigint) => void
  /** Hands a group over to be guarded, and waits until it is. */
  readonly guard: (group: number, helper: number | undefined) => Effect.Effect<void, SystemRefused>
  /** The group was asked to end by this process: only the last deadline is left to watch. */
  readonly stopping: Effect.Effect<void>
  /** The group is gone. */
  readonly gone: Effect.Effect<void>
  /** Fails when the watchdog process has died: without it, nothing would end the command if this process died as well. */
  readonly died: Effect.Effect<never, SystemRefused>
}

/** The watchdog process stands beside this file, built. */
const program = fileURLToPath(new URL("./watchdogProgram.js", import.meta.url))

const patience = "5 seconds"

const problem = (what: string) =>
  new SystemRefused({ problem: `the watchdog process, which guards the command, ${what}; nothing was left running` })

/** Starts a watchdog process; it ends with the scope. */
export const make: Effect.Effect<WatchdogProcess, SystemRefused, Scope.Scope> = Effect.gen(function*() {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = yield* Effect.acquireRelease(
    // A session of its own: what is typed on a terminal, or ends a session, does not reach it.
    spawn("the watchdog process, which guards the command,", process.execPath, [program], {
      env,
      cwd: "/",
      detached: true,
      stdio: ["pipe", "pipe", "ignore"]
    }),
    (child) => Effect.sync(() => void child.stdin!.end())
  )
  const [stdin, stdout] = [child.stdin!, child.stdout!]
  const dead = Deferred.makeUnsafe<never, SystemRefused>()
  const acknowledged = new Map<number, Deferred.Deferred<void>>()
  child.on("error", () => {})
  child.on("exit", (code, signal) => {
    Deferred.doneUnsafe(dead, Effect.fail(problem(`has ended (${signal ?? `exit code ${code}`})`)))
  })
  stdin.on("error", () => {})
  createInterface({ input: stdout }).on("line", (line) => {
    const waiting = acknowledged.get(Number(line.split(" ")[1]))
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.void)
  })
  const tell = (line: string): void => {
    if (stdin.writable) stdin.write(`${line}\n`)
  }
  const died = Deferred.await(dead)
  return {
    until: (believesUntil, killAt) => tell(`until ${believesUntil} ${killAt}`),
    guard: (group, helper) =>
      Effect.suspend(() => {
        const acknowledgement = Deferred.makeUnsafe<void>()
        acknowledged.set(group, acknowledgement)
        tell(`guard ${group} ${helper ?? 0}`)
        return Deferred.await(acknowledgement).pipe(
          Effect.raceFirst(died),
          Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(problem("does not answer")) }),
          Effect.ensuring(Effect.sync(() => acknowledged.delete(group)))
        )
      }),
    stopping: Effect.sync(() => tell("stopping")),
    gone: Effect.sync(() => tell("gone")),
    died
  }
})
