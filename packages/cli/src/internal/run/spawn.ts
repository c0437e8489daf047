/** Starts the processes of this command's own. */
import * as Effect from "effect/Effect"
import * as childProcess from "node:child_process"
import { createInterface } from "node:readline"
import * as util from "node:util"
import type { Failure } from "../../Failure.ts"

/** What the operating system has refused, in its own words. */
export const said = ({ errno, message }: Pick<NodeJS.ErrnoException, "errno" | "message">): string =>
  (errno === undefined ? undefined : util.getSystemErrorMap().get(errno)?.join(": ")) ?? message

/** How long such a process may take to answer. */
export const answerTimeout = "5 seconds"

/**
 * Starts Node on a program. The process inherits the descriptors of the store, and closes them before it does anything.
 *
 * @param refused makes the failure of the rest of a sentence, as "cannot be started: …"
 * @param shell a command that starts Node, whose path and argument it gets; Node itself unless given
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
  // Node throws some of the system's refusals, and emits the others.
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

/** Calls `onLine` with each line that a process writes. */
export const readLines = (input: NodeJS.ReadableStream, onLine: (line: string) => void): void =>
  void createInterface({ input }).on("line", onLine).on("error", () => {})

/** Writes a line to a process, as long as it can be written to. */
export const writeLine = (output: NodeJS.WritableStream, line: string): void => {
  if (output.writable) output.write(`${line}\n`)
}
