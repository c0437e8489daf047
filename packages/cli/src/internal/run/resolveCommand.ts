/** Finds out before the campaign whether the command can be run at all. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { CommandNotExecutable, CommandNotFound } from "../../Failure.ts"

/** A path that cannot be followed, as in a directory that one may not enter, leads to nothing. */
const kindOf = (file: string): "file" | "directory" | undefined => {
  try {
    return fs.statSync(file).isDirectory() ? "directory" : "file"
  } catch {
    return undefined
  }
}

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
    if (command === "") return Effect.fail(new CommandNotFound({ command }))
    const isPath = command.includes("/")
    if (isPath && kindOf(command) === "directory") {
      return Effect.fail(new CommandNotExecutable({ command, isDirectory: true }))
    }
    const candidates = isPath
      ? [command]
      : searchPath.split(path.delimiter).map((directory) => path.join(directory === "" ? "." : directory, command))
    const files = candidates.filter((file) => kindOf(file) === "file")
    if (files.length === 0) return Effect.fail(new CommandNotFound({ command }))
    return files.some(isExecutable)
      ? Effect.void
      : Effect.fail(new CommandNotExecutable({ command, isDirectory: false }))
  })
