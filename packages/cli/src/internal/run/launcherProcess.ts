/**
 * The wrapper's handle of the launcher, whose program is `launcherProgram.ts`.
 *
 * If the wrapper has the terminal in the foreground, a helper shell with job control starts the launcher: the only portable way to
 * give a terminal to another process group, and to take part in Ctrl-Z and `fg`. Otherwise, or if that fails, the launcher begins its
 * own session, so that no terminal's job control can stop it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import type { Duplex } from "node:stream"
import { fileURLToPath } from "node:url"
import * as ExitCode from "../../ExitCode.ts"
import { commandNotExecutable, commandNotFound, type Failure, systemRefused } from "../../Failure.ts"
import { groupOf, terminalToGive } from "./controllingTerminal.ts"
import type { Deadlines } from "./deadlines.ts"
import type { Begin, Report, Until } from "./launcherProgram.ts"
import { readLines } from "./lines.ts"
import { signalProcess } from "./processGroup.ts"
import { answerTimeout, said, spawnNode, writeLine } from "./spawn.ts"

/** The exit status as a shell reports it: 128 plus the signal's number if a signal ended the command. */
export type ExitStatus = number

const program = fileURLToPath(new URL("./launcherProgram.js", import.meta.url))

/**
 * Runs the launcher as a foreground job. When the job is stopped, the shell stops the wrapper's group and waits for the line `resume`,
 * which the wrapper sends when it has the terminal again. The shell's own messages are dropped.
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

const statusOf = (code: number | null, signal: NodeJS.Signals | null): ExitStatus => code ?? ExitCode.ofSignal(signal!)

type Failed = Report & { readonly tag: "Failed" }

const refused = (problem: string) =>
  systemRefused(`the launcher, a process that starts the command, ${problem}; nothing was left running`)

const failureOf = ({ file, argv }: Begin, { code, errno, message }: Failed): Failure => {
  const command = argv[0]!
  if (code === "EACCES") return commandNotExecutable(command)
  if (code !== "ENOENT") return systemRefused(`the command cannot be started: ${said({ errno, message })}`)
  return fs.existsSync(file)
    ? systemRefused(`${command} cannot be started: the interpreter that it names does not exist`)
    : commandNotFound(command)
}

const launch = Effect.fnUntraced(function*(terminalOf: number | undefined) {
  const shell = ["/bin/sh", "-m", "-c", jobControl, "fdb-election", String(terminalOf)]
  const child = yield* terminalOf === undefined
    ? spawnNode(program, refused, { detached: true, stdio: ["inherit", "inherit", "inherit", "pipe"] })
    // Some shells look for the terminal only at standard error. The command's own is descriptor 5.
    : spawnNode(program, refused, { stdio: ["inherit", "inherit", 0, "pipe", "pipe", 2] }, shell)
  const ready = Deferred.makeUnsafe<number, Failure>()
  const began = Deferred.makeUnsafe<Failed | undefined>()
  const exited = Deferred.makeUnsafe<ExitStatus>()
  const [channel, control] = child.stdio.slice(3) as [Duplex, Duplex | undefined]
  let status: ExitStatus | undefined
  readLines(channel, (line) => {
    const report: Report = JSON.parse(line)
    switch (report.tag) {
      case "Ready":
        return Deferred.doneUnsafe(ready, Effect.succeed(report.pid))
      case "Began":
        return Deferred.doneUnsafe(began, Effect.undefined)
      case "Failed":
        // The launcher waits for this with its end.
        channel.end()
        return Deferred.doneUnsafe(began, Effect.succeed(report))
      case "Ended":
        channel.end()
        status = statusOf(report.code, report.signal)
        // Ends a helper shell that waits for the line `resume`.
        return control?.destroy()
    }
  })
  // `close` comes after the last line of the launcher.
  child.on("close", (code, signal) => {
    Deferred.doneUnsafe(ready, Effect.fail(refused("has ended")))
    Deferred.doneUnsafe(began, Effect.undefined)
    Deferred.doneUnsafe(exited, Effect.succeed(status ?? statusOf(code, signal)))
  })
  const group = yield* Deferred.await(ready).pipe(
    Effect.timeoutOrElse({ duration: answerTimeout, orElse: () => Effect.fail(refused("does not answer")) }),
    Effect.filterOrFail((pid) => groupOf(pid) === pid, () => refused("has no process group of its own")),
    // A launcher without an order to begin ends with its input.
    Effect.onError(() =>
      Effect.sync(() => {
        for (const stream of [channel, control]) stream?.destroy()
        signalProcess(child.pid!, "SIGKILL")
      })
    )
  )
  const send = (message: Until | Begin) => writeLine(channel, JSON.stringify(message))
  return {
    /** The process group of launcher and command. */
    group,
    /** The helper shell, if the command has the terminal. */
    helper: terminalOf === undefined ? undefined : {
      pid: child.pid!,
      /** Gives the terminal back to a suspended command, when the wrapper has it. */
      foreground: () => void control?.write("resume\n"),
      /** Ends the shell: the command has ended. */
      dismiss: () => void control?.destroy()
    },
    until: ({ killAt }: Deadlines) => send({ killAt: String(killAt) }),
    /** Starts the command, and waits until it runs. */
    begin: Effect.fnUntraced(function*(command: Begin) {
      send(command)
      const failed = yield* Deferred.await(began)
      if (failed === undefined) return
      // The launcher ends after it has reported the failure.
      yield* Deferred.await(exited)
      return yield* failureOf(command, failed)
    }),
    /** The command runs, has failed to start, or has ended: from now on it does not miss a signal to its group. */
    settled: Effect.asVoid(Deferred.await(began)),
    /** Ends the launcher before it begins the command, even if it is stopped. */
    forbid: Effect.sync(() => {
      channel.destroy()
      signalProcess(group, "SIGCONT")
    }),
    exited: Deferred.await(exited)
  }
})

export type LauncherProcess = Effect.Success<ReturnType<typeof launch>>

/** Starts a launcher without the terminal. */
export const startInBackground: Effect.Effect<LauncherProcess, Failure> = Effect.suspend(() => launch(undefined))

/** Starts a launcher, with the terminal if possible. */
export const start: Effect.Effect<LauncherProcess, Failure> = Effect.suspend(() => {
  const terminalOf = terminalToGive()
  return terminalOf === undefined ? launch(undefined) : Effect.catch(launch(terminalOf), () => launch(undefined))
})
