/**
 * The command as a process, in a process group of its own, which the launcher leads; see `launcher.ts`. It is made sure of that
 * group before the command begins.
 *
 * Which terminal it gets is decided when it is started:
 *
 * - Where this process has the terminal in the foreground and can give it away, the launcher is started by a shell with job
 *   control, the only portable way to give a terminal to another process group. That shell also takes part when the
 *   command is suspended and resumed (Ctrl-Z, `fg`).
 * - Elsewhere, and where such a shell does not do that, it begins a session of its own: there is no terminal whose job control
 *   could stop it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import { createInterface } from "node:readline"
import type { Duplex } from "node:stream"
import { fileURLToPath } from "node:url"
import * as ExitCode from "../../ExitCode.ts"
import { CommandNotExecutable, CommandNotFound, SystemRefused } from "../../Failure.ts"
import type { Begin, Told, Until } from "./launcherProgram.ts"
import { signalProcess } from "./processGroup.ts"
import { said, spawn } from "./spawn.ts"
import { groupOf, terminalToGive } from "./terminal.ts"

/** How the command has ended, as a shell tells it: 128 and the signal's number where one has ended it. */
export type ExitStatus = number

/** Why the command could not be started. */
export type StartFailure = SystemRefused | CommandNotFound | CommandNotExecutable

/** A shell that has given the terminal to the command. */
export interface Helper {
  readonly pid: number
  /** Gives the terminal back to the command, after that was suspended and this process has the terminal again. */
  readonly foreground: () => void
  /** There is no command any more to give the terminal to. */
  readonly dismiss: () => void
}

export interface CommandProcess {
  /** Its process group, for certain. */
  readonly group: number
  /** Where the terminal is the command's own. */
  readonly helper: Helper | undefined
  /** Tells when nothing may be left of the group, without waiting; the launcher sees to that as the watchdog process does. */
  readonly until: (killAt: bigint) => void
  /** Starts the command, and waits until it runs. */
  readonly begin: (command: Begin) => Effect.Effect<void, StartFailure>
  /** The command runs, or cannot, or has ended: it gets the signals that its group is sent. */
  readonly settled: Effect.Effect<void>
  /** Keeps it from ever beginning. */
  readonly forbid: Effect.Effect<void>
  readonly exited: Effect.Effect<ExitStatus>
}

/** The launcher stands beside this file, built. */
const program = fileURLToPath(new URL("./launcherProgram.js", import.meta.url))

/**
 * Runs the launcher as a job in the foreground. When the job is stopped, the shell's own job is stopped as well, and the shell
 * waits for the word to resume it: the launcher's parent knows who has the terminal by then. What the shell has to say of its jobs
 * is nobody's concern.
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

const what = "the launcher, a process that starts the command,"

const refused = (problem: string) => new SystemRefused({ problem: `${what} ${problem}; nothing was left running` })

const failureOf = ({ file, argv }: Begin, told: Failed): StartFailure => {
  const command = argv[0]!
  switch (told.code) {
    case "ENOENT":
      return fs.existsSync(file)
        ? new SystemRefused({ problem: `${command} cannot be started: the interpreter that it names is not there` })
        : new CommandNotFound({ command })
    case "EACCES":
      return new CommandNotExecutable({ command, isDirectory: false })
    default:
      return new SystemRefused({
        problem: `the command cannot be started: ${said({ errno: told.errno, message: told.said })}`
      })
  }
}

const patience = "5 seconds"

/** Starts a launcher, and makes sure that it leads a group. */
const launch = Effect.fnUntraced(function*(terminalOf: number | undefined) {
  const { NODE_OPTIONS: _, ...env } = process.env
  const launcher = [process.execPath, program]
  const child = yield* terminalOf === undefined
    ? spawn(what, launcher[0]!, launcher.slice(1), {
      env,
      detached: true,
      stdio: ["inherit", "inherit", "inherit", "pipe"]
    })
    : spawn(what, "/bin/sh", ["-m", "-c", jobControl, "fdb-election", String(terminalOf), ...launcher], {
      env,
      // Some look for the terminal at standard error alone. That of the command is 5.
      stdio: ["inherit", "inherit", 0, "pipe", "pipe", 2]
    })
  const ready = Deferred.makeUnsafe<number, SystemRefused>()
  const began = Deferred.makeUnsafe<Failed | undefined>()
  const exited = Deferred.makeUnsafe<ExitStatus>()
  const [channel, control] = child.stdio.slice(3) as [Duplex, Duplex | undefined]
  let status: ExitStatus | undefined
  for (const stream of [channel, control]) stream?.on("error", () => {})
  createInterface({ input: channel }).on("line", (line) => {
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
  }).on("error", () => {})
  child.on("error", () => {})
  // With its streams closed, all that was told has been heard.
  child.on("close", (code, signal) => {
    Deferred.doneUnsafe(ready, Effect.fail(refused("has ended")))
    Deferred.doneUnsafe(began, Effect.undefined)
    Deferred.doneUnsafe(exited, Effect.succeed(status ?? statusOf(code, signal)))
  })
  const group = yield* Deferred.await(ready).pipe(
    Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(refused("does not answer")) }),
    Effect.filterOrFail((pid) => groupOf(pid) === pid, () => refused("has no process group of its own")),
    // A launcher that was not told to begin ends with its input.
    Effect.onError(() =>
      Effect.sync(() => {
        for (const stream of [channel, control]) stream?.destroy()
        signalProcess(child.pid!, "SIGKILL")
      })
    )
  )
  const tell = (told: Until | Begin): void => {
    if (channel.writable) channel.write(`${JSON.stringify(told)}\n`)
  }
  const started: CommandProcess = {
    group,
    helper: terminalOf === undefined ? undefined : {
      pid: child.pid!,
      foreground: () => void control?.write("resume\n"),
      dismiss: () => void control?.destroy()
    },
    until: (killAt) => tell({ killAt: String(killAt) }),
    begin: (command) =>
      Effect.suspend(() => {
        tell(command)
        return Effect.flatMap(Deferred.await(began), (failed) =>
          failed === undefined
            ? Effect.void
            // The launcher ends when it has told that.
            : Effect.andThen(Deferred.await(exited), Effect.fail(failureOf(command, failed))))
      }),
    settled: Effect.asVoid(Deferred.await(began)),
    forbid: Effect.sync(() => channel.destroy()),
    exited: Deferred.await(exited)
  }
  return started
})

/** Starts what will be the command, and gives it the terminal if that can be had. */
export const start: Effect.Effect<CommandProcess, SystemRefused> = Effect.suspend(() => {
  const terminalOf = terminalToGive()
  return terminalOf === undefined
    ? launch(undefined)
    : Effect.catch(launch(terminalOf), () => launch(undefined))
})
