/** Finds out before the campaign whether the command can be run at all. */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { commandNotExecutable, commandNotFound, type Failure } from "../../Failure.ts"

/** Whether this is so of a file; it is not, of a path that cannot be followed. */
const holds = (isSo: () => boolean): boolean => {
  try {
    return isSo()
  } catch {
    return false
  }
}

const isDirectory = (file: string): boolean => holds(() => fs.statSync(file).isDirectory())
const isFile = (file: string): boolean => holds(() => !fs.statSync(file).isDirectory())
const isExecutable = (file: string): boolean => holds(() => (fs.accessSync(file, fs.constants.X_OK), true))

/** Where a shell looks for commands when nobody tells it: without `PATH`, each has a default of its own. */
const defaultSearchPath = (): string =>
  spawnSync("/bin/sh", ["-c", "printf %s \"$PATH\""], { env: {}, encoding: "utf8" }).stdout ?? ""

/**
 * The path of `command`: itself, if it is one, or the first executable file of that name in `searchPath`, which is the shell's
 * default if there is none.
 */
export const resolveCommand = (command: string, searchPath: string | undefined): Effect.Effect<string, Failure> =>
  Effect.suspend(() => {
    const isPath = command.includes("/")
    if (isPath && isDirectory(command)) return commandNotExecutable(command, true)
    const candidates = isPath
      ? [command]
      : (searchPath ?? defaultSearchPath()).split(path.delimiter).map((directory) => `${directory || "."}/${command}`)
    const files = candidates.filter(isFile)
    if (files.length === 0) return commandNotFound(command)
    const file = files.find(isExecutable)
    return file === undefined ? commandNotExecutable(command, false) : Effect.succeed(file)
  })
