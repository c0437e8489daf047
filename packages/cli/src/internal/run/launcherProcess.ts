/**
 * The launcher, as the wrapper sees it; its program is `launcherProgram.ts`. It leads the command's process group, of which the
 * wrapper makes sure before the command begins.
 *
 * Which terminal the command gets is decided when the launcher is started:
 *
 * - Where the wrapper has the terminal in the foreground and can give it away, a shell with job control starts the launcher, for
 *   that is the only portable way to give a terminal to another process group. That shell also takes part when the command is
 *   suspended and resumed (Ctrl-Z, `fg`).
 * - Elsewhere, and where such a shell does not do that, the launcher begins a session of its own: there is no terminal whose job
 *   control could stop it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import type { Duplex } from "node:stream"
import { fileURLToPath } from "node:url"
import * as ExitCode from "../../ExitCode.ts"
import { commandNotExecutable, commandNotFound, type Failure, systemRefused } from "../../Failure.ts"
import type { Deadlines } from "./deadlines.ts"
import type { Begin, Told, Until } from "./launcherProgram.ts"
import { signalProcess } from "./processGroup.ts"
import { answerTimeout, readLines, said, spawnNode, writeLine } from "./spawn.ts"
import { groupOf, terminalToGive } from "./terminal.ts"

/** How the command has ended, as a shell tells it: 128 and the signal's number where one has ended it. */
export type ExitStatus = number

const program = fileURLToPath(new URL("./launcherProgram.js", import.meta.url))

/**
 * Runs the launcher as a job in the foreground. When the job is stopped, the shell stops its own job as well, and waits for the
 * word to resume it: its parent, the wrapper, knows who has the terminal by then. What the shell says of its jobs is dropped.
 */
const jobControl = `group=$1
shift
exec 2>/dev/null
(exec "$@" 2>&5 4<&- 5>&-)
status=$?
while [ $status -gt 128 ] && case $(kill -l $status) in *STOP | *TSTP | *TTIN | *TTOU) ;; *) false ;; esac
do
  kill -s TSTP -- -$group
  IFS= read -r word <&4 || exit
  fg >/dev/null
  status=$?
done`

const statusOf = (code: number | null, signal: NodeJS.Signals | null): ExitStatus =>
  code ?? ExitCode.ofSignal(signal === null ? 0 : os.constants.signals[signal])

type Failed = Told & { readonly tag: "Failed" }

const refused = (problem: string) =>
  systemRefused(`the launcher, a process that starts the command, ${problem}; nothing was left running`)

const failureOf = ({ file, argv }: Begin, { code, errno, message }: Failed): Failure => {
  const command = argv[0]!
  if (code === "EACCES") return commandNotExecutable(command, false)
  if (code !== "ENOENT") return systemRefused(`the command cannot be started: ${said({ errno, message })}`)
  return fs.existsSync(file)
    ? systemRefused(`${command} cannot be started: the interpreter that it names is not there`)
    : commandNotFound(command)
}

/** Starts a launcher, and makes sure that it leads a group. */
const launch = Effect.fnUntraced(function*(terminalOf: number | undefined) {
  const child = yield* terminalOf === undefined
    ? spawnNode(program, refused, { detached: true, stdio: ["inherit", "inherit", "inherit", "pipe"] })
    // Some programs look for the terminal at standard error alone. That of the command is 5.
    : spawnNode(program, refused, { stdio: ["inherit", "inherit", 0, "pipe", "pipe", 2] }, [
      "/bin/sh",
      "-m",
      "-c",
      jobControl,
      "fdb-election",
      String(terminalOf)
    ])
  const ready = Deferred.makeUnsafe<number, Failure>()
  const began = Deferred.makeUnsafe<Failed | undefined>()
  const exited = Deferred.makeUnsafe<ExitStatus>()
  const [channel, control] = child.stdio.slice(3) as [Duplex, Duplex | undefined]
  let status: ExitStatus | undefined
  readLines(channel, (line) => {
    const told: Told = JSON.parse(line)
    switch (told.tag) {
      case "Ready":
        return Deferred.doneUnsafe(ready, Effect.succeed(told.pid))
      case "Began":
        return Deferred.doneUnsafe(began, Effect.undefined)
      case "Failed":
        return Deferred.doneUnsafe(began, Effect.succeed(told))
      case "Ended":
        status = statusOf(told.code, told.signal)
        // A shell that waits for the word to resume the command has nothing to resume any more.
        return control?.destroy()
    }
  })
  // With its streams closed, all that was told has been heard.
  child.on("close", (code, signal) => {
    Deferred.doneUnsafe(ready, Effect.fail(refused("has ended")))
    Deferred.doneUnsafe(began, Effect.undefined)
    Deferred.doneUnsafe(exited, Effect.succeed(status ?? statusOf(code, signal)))
  })
  const group = yield* Deferred.await(ready).pipe(
    Effect.timeoutOrElse({ duration: answerTimeout, orElse: () => Effect.fail(refused("does not answer")) }),
    Effect.filterOrFail((pid) => groupOf(pid) === pid, () => refused("has no process group of its own")),
    // A launcher that was not told to begin ends with its input.
    Effect.onError(() =>
      Effect.sync(() => {
        for (const stream of [channel, control]) stream?.destroy()
        signalProcess(child.pid!, "SIGKILL")
      })
    )
  )
  const tell = (told: Until | Begin) => writeLine(channel, JSON.stringify(told))
  return {
    /** The launcher's process group, which is the command's; the number is the launcher's pid. */
    group,
    /** Where the terminal is the command's own: the shell that has given it to the command. */
    helper: terminalOf === undefined ? undefined : {
      pid: child.pid!,
      /** Gives the terminal back to the command, after that was suspended and the wrapper has the terminal again. */
      foreground: () => void control?.write("resume\n"),
      /** There is no command any more to give the terminal to. */
      dismiss: () => void control?.destroy()
    },
    until: ({ killAt }: Deadlines) => tell({ killAt: String(killAt) }),
    /** Starts the command, and waits until it runs. */
    begin: Effect.fnUntraced(function*(command: Begin) {
      tell(command)
      const failed = yield* Deferred.await(began)
      if (failed === undefined) return
      // The launcher ends when it has told that.
      yield* Deferred.await(exited)
      return yield* failureOf(command, failed)
    }),
    /** The command runs, or cannot, or has ended: it gets the signals that its group is sent. */
    settled: Effect.asVoid(Deferred.await(began)),
    /** Keeps the command from ever beginning; a launcher that was stopped goes on to end. */
    forbid: Effect.sync(() => {
      channel.destroy()
      signalProcess(group, "SIGCONT")
    }),
    exited: Deferred.await(exited)
  }
})

export type LauncherProcess = Effect.Success<ReturnType<typeof launch>>

/** Starts what will be the command, and gives it the terminal if that can be had. */
export const start: Effect.Effect<LauncherProcess, Failure> = Effect.suspend(() => {
  const terminalOf = terminalToGive()
  return terminalOf === undefined
    ? launch(undefined)
    : Effect.catch(launch(terminalOf), () => launch(undefined))
})
