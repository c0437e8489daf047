/**
 * The command as a process, in a process group of its own, behind a gate: a shell that tells its pid, waits to be let
 * through, and becomes the command. So the keeper knows of the group before the command begins.
 *
 * - Where the terminal is to be its own, it gets it from a shell with job control, the only portable way to give a terminal to
 *   another process group. That shell also takes part when the command is suspended and resumed (Ctrl-Z, `fg`).
 * - Elsewhere it begins a session of its own: there is no terminal whose job control could stop it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as childProcess from "node:child_process"
import * as os from "node:os"
import type { Duplex } from "node:stream"
import * as ExitCode from "../../ExitCode.ts"
import { SystemRefused } from "../../Failure.ts"

/** How the command has ended, as a shell tells it: 128 and the signal's number where one has ended it. */
export type ExitStatus = number

export interface CommandOptions {
  readonly command: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
  /** The group of this process, if it has the terminal and the command is to have it. */
  readonly terminalOf: number | undefined
}

export interface CommandProcess {
  /** Its process group, once the gate has told; it fails if the gate cannot be reached. */
  readonly group: Effect.Effect<number, SystemRefused>
  /** The shell that gives it the terminal. */
  readonly helper: number | undefined
  /** Lets it through the gate. */
  readonly begin: Effect.Effect<void>
  /** Keeps it from ever going through the gate. */
  readonly forbid: Effect.Effect<void>
  readonly exited: Effect.Effect<ExitStatus>
}

const gate = `echo $$ >&3 && IFS= read -r begin <&3 && exec 3<&- && exec "$@"`

/**
 * Runs the gate as a job in the foreground. When the job is stopped, its own job is stopped as well; when that is resumed,
 * so is the job.
 */
const jobControl = `gate=$1 group=$2
shift 2
/bin/sh -c "$gate" fdb-election "$@"
status=$?
while [ $status -gt 128 ] && case $(kill -l $status) in *STOP | *TSTP | *TTIN | *TTOU) ;; *) false ;; esac
do
  kill -s TSTP -- -$group
  kill -s STOP $$
  fg >/dev/null 2>&1
  status=$?
done
exit $status`

/** What a shell does not hand on, because it cannot be one of its variables, `env` does. */
const throughEnv = (env: NodeJS.ProcessEnv): Array<string> => {
  const odd = Object.entries(env).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name))
  return odd.length === 0 ? [] : ["env", ...odd.map(([name, value]) => `${name}=${value}`)]
}

const statusOf = (code: number | null, signal: NodeJS.Signals | null): ExitStatus =>
  code ?? ExitCode.ofSignal(signal === null ? 0 : os.constants.signals[signal])

const refused = (cause: Error): SystemRefused =>
  new SystemRefused({ problem: `/bin/sh, which starts the command, cannot be started: ${cause.message}` })

/** Starts the gate. */
export const start = (options: CommandOptions): Effect.Effect<CommandProcess> =>
  Effect.sync(() => {
    const { command, env, terminalOf } = options
    const through = [...throughEnv(env), ...command]
    const args = terminalOf === undefined
      ? ["-c", gate, "fdb-election", ...through]
      : ["-m", "-c", jobControl, "fdb-election", gate, String(terminalOf), ...through]
    const child = childProcess.spawn("/bin/sh", args, {
      env,
      detached: terminalOf === undefined,
      stdio: ["inherit", "inherit", "inherit", "pipe"]
    })
    const group = Deferred.makeUnsafe<number, SystemRefused>()
    const exited = Deferred.makeUnsafe<ExitStatus>()
    const channel = child.stdio[3] as Duplex | undefined
    child.on("error", (cause) => {
      Deferred.doneUnsafe(group, Effect.fail(refused(cause)))
      Deferred.doneUnsafe(exited, Effect.succeed(ExitCode.system))
    })
    child.on("exit", (code, signal) => {
      Deferred.doneUnsafe(group, Effect.fail(refused(new Error("it has ended"))))
      Deferred.doneUnsafe(exited, Effect.succeed(statusOf(code, signal)))
    })
    channel?.on("error", () => {})
    channel?.once("data", (told: Buffer) => {
      Deferred.doneUnsafe(group, Effect.succeed(Number(told.toString("latin1"))))
    })
    return {
      group: Deferred.await(group),
      helper: terminalOf === undefined ? undefined : child.pid,
      begin: Effect.sync(() => void channel?.end("begin\n")),
      forbid: Effect.sync(() => void channel?.destroy()),
      exited: Deferred.await(exited)
    }
  })
