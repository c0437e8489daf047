/** The wrapper's handle of the watchdog process, whose program is `watchdogProgram.ts`. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { type Failure, systemRefused } from "../../Failure.ts"
import type { Deadlines } from "./deadlines.ts"
import type { EndedTenure } from "./endedTenure.ts"
import { readLines } from "./lines.ts"
import { answerTimeout, spawnNode, writeLine } from "./spawn.ts"

const program = fileURLToPath(new URL("./watchdogProgram.js", import.meta.url))

const refused = (problem: string) =>
  systemRefused(`the watchdog process, which guards the command, ${problem}; nothing was left running`)

/** Starts a watchdog process; it ends with the scope. */
export const make = Effect.gen(function*() {
  const child = yield* Effect.acquireRelease(
    // In its own session, signals of a terminal or of the end of a session do not reach it.
    spawnNode(program, refused, { cwd: "/", detached: true, stdio: ["pipe", "pipe", "ignore"] }),
    // Without this line, the end of its input is the death of the wrapper.
    (child) => Effect.sync(() => void child.stdin!.end("done\n"))
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
  const send = (line: string) => writeLine(stdin!, line)
  const died = Deferred.await(dead)
  return {
    until: ({ believesUntil, killAt }: Deadlines) => send(`until ${believesUntil} ${killAt}`),
    /** Makes the watchdog guard a group, and waits for the answer. */
    guard: (group: number, helper: number | undefined) =>
      Effect.suspend(() => {
        const acknowledged = Deferred.makeUnsafe<void>()
        guarding.set(group, acknowledged)
        send(`guard ${group} ${helper ?? 0}`)
        return Deferred.await(acknowledged).pipe(
          Effect.raceFirst(died),
          Effect.timeoutOrElse({ duration: answerTimeout, orElse: () => Effect.fail(refused("does not answer")) }),
          Effect.ensuring(Effect.sync(() => guarding.delete(group)))
        )
      }),
    /** This process leads. If it dies, the watchdog ends the tenure when the command has ended. */
    leads: (tenure: EndedTenure) => Effect.sync(() => send(`leads ${JSON.stringify(tenure)}`)),
    /** The wrapper has sent SIGTERM to the group: only the last deadline matters now. */
    stopping: Effect.sync(() => send("stopping")),
    gone: Effect.sync(() => send("gone")),
    /** Fails when the watchdog process dies: nothing would end the command if the wrapper died as well. */
    died
  }
})

export type WatchdogProcess = Effect.Success<typeof make>
