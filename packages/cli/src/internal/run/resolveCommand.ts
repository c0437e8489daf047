/** Finds out before the campaign whether the command can be run at all. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { CommandNotExecutable, CommandNotFound } from "../../Failure.ts"

const isFile = (file: string): boolean => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true

const isExecutable = (file: string): boolean => {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Fails unless `command` is an executable file, or the name of one in `searchPath`. */
export const resolveCommand = (
  command: string,
  searchPath: string
): Effect.Effect<void, CommandNotFound | CommandNotExecutable> =>
  Effect.suspend((): Effect.Effect<void, CommandNotFound | CommandNotExecutable> => {
    const candidates = command.includes("/")
      ? [command]
      : searchPath.split(path.delimiter).map((directory) => path.join(directory === "" ? "." : directory, command))
    const files = candidates.filter(isFile)
    if (command === "" || files.length === 0) return Effect.fail(new CommandNotFound({ command }))
    return files.some(isExecutable) ? Effect.void : Effect.fail(new CommandNotExecutable({ command }))
  })
