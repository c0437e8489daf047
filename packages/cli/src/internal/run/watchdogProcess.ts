/** The watchdog process, as the wrapper sees it; its program is `watchdogProgram.ts`. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { type Failure, systemRefused } from "../../Failure.ts"
import type { Deadlines } from "./deadlines.ts"
import { answerTimeout, readLines, spawnNode, writeLine } from "./spawn.ts"

const program = fileURLToPath(new URL("./watchdogProgram.js", import.meta.url))

const refused = (problem: string) =>
  systemRefused(`the watchdog process, which guards the command, ${problem}; nothing was left running`)

/** Starts a watchdog process; it ends with the scope. */
export const make = Effect.gen(function*() {
  const child = yield* Effect.acquireRelease(
    // A session of its own: what is typed on a terminal, or ends a session, does not reach it.
    spawnNode(program, refused, { cwd: "/", detached: true, stdio: ["pipe", "pipe", "ignore"] }),
    (child) => Effect.sync(() => void child.stdin!.end())
  )
  const { stdin, stdout } = child
  const dead = Deferred.makeUnsafe<never, Failure>()
  const guarding = new Map<number, Deferred.Deferred<void>>()
  child.on("exit", (code, signal) => {
    Deferred.doneUnsafe(dead, Effect.fail(refused(`has ended (${signal ?? `exit code ${code}`})`)))
  })
  readLines(stdout!, (line) => {
    const waiting = guarding.get(Number(line.split(" ")[1]))
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.void)
  })
  const tell = (line: string) => writeLine(stdin!, line)
  const died = Deferred.await(dead)
  return {
    /** Tells the deadlines, at once and without waiting. */
    until: ({ believesUntil, killAt }: Deadlines) => tell(`until ${believesUntil} ${killAt}`),
    /** Hands a group over to be guarded, and waits until it is. */
    guard: (group: number, helper: number | undefined) =>
      Effect.suspend(() => {
        const acknowledged = Deferred.makeUnsafe<void>()
        guarding.set(group, acknowledged)
        tell(`guard ${group} ${helper ?? 0}`)
        return Deferred.await(acknowledged).pipe(
          Effect.raceFirst(died),
          Effect.timeoutOrElse({ duration: answerTimeout, orElse: () => Effect.fail(refused("does not answer")) }),
          Effect.ensuring(Effect.sync(() => guarding.delete(group)))
        )
      }),
    /** The wrapper has asked the group to end: only the last deadline is left to watch. */
    stopping: Effect.sync(() => tell("stopping")),
    gone: Effect.sync(() => tell("gone")),
    /** Fails when the watchdog process has died: without it, nothing would end the command if the wrapper died as well. */
    died
  }
})

export type WatchdogProcess = Effect.Success<typeof make>
