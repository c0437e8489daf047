/** Finds out before the campaign whether the command can be run at all. */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
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

/** Where a shell looks for commands when nobody tells it: without `PATH`, each has a default of its own. */
const defaultSearchPath = (): string =>
  spawnSync("/bin/sh", ["-c", "printf %s \"$PATH\""], { env: {}, encoding: "utf8" }).stdout ?? ""

/**
 * The path of `command`: itself, if it is one, or the first executable file of that name in `searchPath`, which is the shell's
 * default if there is none.
 */
export const resolveCommand = (
  command: string,
  searchPath: string | undefined
): Effect.Effect<string, CommandNotFound | CommandNotExecutable> =>
  Effect.suspend((): Effect.Effect<string, CommandNotFound | CommandNotExecutable> => {
    if (command === "") return Effect.fail(new CommandNotFound({ command }))
    const isPath = command.includes("/")
    if (isPath && kindOf(command) === "directory") {
      return Effect.fail(new CommandNotExecutable({ command, isDirectory: true }))
    }
    const candidates = isPath
      ? [command]
      : (searchPath ?? defaultSearchPath()).split(path.delimiter).map((directory) => `${directory || "."}/${command}`)
    const files = candidates.filter((file) => kindOf(file) === "file")
    if (files.length === 0) return Effect.fail(new CommandNotFound({ command }))
    const file = files.find(isExecutable)
    return file === undefined
      ? Effect.fail(new CommandNotExecutable({ command, isDirectory: false }))
      : Effect.succeed(file)
  })
