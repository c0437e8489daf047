/** Starts the processes of this command's own. */
import * as Effect from "effect/Effect"
import * as childProcess from "node:child_process"
import * as util from "node:util"
import { SystemRefused } from "../../Failure.ts"

/** What the operating system has refused, in its own words. */
export const said = (cause: unknown): string => {
  const { errno, message } = cause as NodeJS.ErrnoException
  return (errno === undefined ? undefined : util.getSystemErrorMap().get(errno)?.join(": ")) ?? message
}

/**
 * Starts a process. It inherits the descriptors of the store, and has to close them before it does anything.
 *
 * @param what names the process, as in "the watchdog process, which guards the command,"
 */
export const spawn = (
  what: string,
  file: string,
  args: ReadonlyArray<string>,
  options: childProcess.SpawnOptions
): Effect.Effect<childProcess.ChildProcess, SystemRefused> => {
  const refused = (cause: unknown) =>
    new SystemRefused({ problem: `${what} cannot be started: ${said(cause)}; nothing was left running` })
  // Node throws some of the system's refusals, and emits the others.
  return Effect.try({
    try: () => childProcess.spawn(file, args, options),
    catch: refused
  }).pipe(
    Effect.filterOrElse(
      (child) => child.pid !== undefined,
      (child) =>
        Effect.callback<never, SystemRefused>((resume) =>
          void child.once("error", (cause) => resume(Effect.fail(refused(cause))))
        )
    )
  )
}
