import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { commandNotExecutable, commandNotFound, type Failure, notExecutable } from "../../Failure.ts"

/** `undefined` if the path cannot be followed. */
const isDirectory = (file: string) => Result.getOrUndefined(Result.try(() => fs.statSync(file).isDirectory()))
const isExecutable = (file: string) => Result.isSuccess(Result.try(() => fs.accessSync(file, fs.constants.X_OK)))

/** The shell's default search path, without `PATH`. */
const defaultSearchPath = (): string =>
  spawnSync("/bin/sh", ["-c", "printf %s \"$PATH\""], { env: {}, encoding: "utf8" }).stdout ?? ""

/**
 * The path of `command`: itself if it contains a slash, else the first executable file of that name in `searchPath` (by default the
 * shell's).
 */
export const resolveCommand = (command: string, searchPath: string | undefined): Effect.Effect<string, Failure> =>
  Effect.suspend(() => {
    const isPath = command.includes("/")
    if (isPath && isDirectory(command)) {
      return notExecutable(`${command} is a directory: give the path of a file that can be executed`)
    }
    const candidates = isPath
      ? [command]
      : (searchPath ?? defaultSearchPath()).split(path.delimiter).map((directory) => `${directory || "."}/${command}`)
    const files = candidates.filter((file) => isDirectory(file) === false)
    if (files.length === 0) return commandNotFound(command)
    const file = files.find(isExecutable)
    return file === undefined ? commandNotExecutable(command) : Effect.succeed(file)
  })
