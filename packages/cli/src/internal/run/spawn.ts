/** Starts the launcher and the watchdog process. */
import * as Effect from "effect/Effect"
import * as childProcess from "node:child_process"
import * as util from "node:util"
import type { Failure } from "../../Failure.ts"

/** The operating system's own text of an error. */
export const said = ({ errno, message }: Pick<NodeJS.ErrnoException, "errno" | "message">): string =>
  (errno === undefined ? undefined : util.getSystemErrorMap().get(errno)?.join(": ")) ?? message

export const answerTimeout = "5 seconds"

/**
 * Starts Node on a program. The process inherits the descriptors of the store and must close them first.
 *
 * @param refused makes the failure from the rest of a sentence, such as "cannot be started: …"
 * @param shell a command that starts Node and gets its path and argument; unless given, Node is started directly
 */
export const spawnNode = (
  program: string,
  refused: (problem: string) => Failure,
  options: childProcess.SpawnOptions,
  shell: ReadonlyArray<string> = []
): Effect.Effect<childProcess.ChildProcess, Failure> => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const [file, ...args] = [...shell, process.execPath, program]
  const failed = (cause: unknown) => refused(`cannot be started: ${said(cause as NodeJS.ErrnoException)}`)
  // Node throws some errors of the system and emits the others.
  return Effect.try({ try: () => childProcess.spawn(file!, args, { env, ...options }), catch: failed }).pipe(
    Effect.filterOrElse(
      (child) => child.pid !== undefined,
      (child) =>
        Effect.callback<never, Failure>((resume) =>
          void child.once("error", (cause) => resume(Effect.fail(failed(cause))))
        )
    ),
    Effect.tap((child) =>
      Effect.sync(() => {
        for (const emitter of [child, ...child.stdio]) emitter?.on("error", () => {})
      })
    )
  )
}

/** Writes a line to a process if its input is open. */
export const writeLine = (output: NodeJS.WritableStream, line: string): void => {
  if (output.writable) output.write(`${line}\n`)
}
