/** The command's own failures: an exit code and a sentence. */
import * as Schema from "effect/Schema"
import * as ExitCode from "./ExitCode.ts"

export class Failure extends Schema.TaggedError<Failure>()("Failure", {
  exitCode: Schema.Int,
  message: Schema.String
}) {}

const failure = (exitCode: number) => (message: string): Failure => new Failure({ exitCode, message })

export const usageError = failure(ExitCode.usage)
export const systemRefused = failure(ExitCode.system)
export const noElection = failure(ExitCode.noElection)
export const storeFailed = failure(ExitCode.unavailable)
export const tryAgain = failure(ExitCode.tryAgain)
const notFound = failure(ExitCode.notFound)
const notExecutable = failure(ExitCode.notExecutable)

/** The command to run is not in `PATH`, or its file does not exist. */
export const commandNotFound = (command: string): Failure => {
  if (command === "") return notFound("the command to run is empty: give a name or a path after --")
  return notFound(
    command.includes("/")
      ? `there is no file ${command}: check the path of the command`
      : `${command} was not found in PATH: check its name, or give its path`
  )
}

/** The command to run is a directory, or a file that this user may not execute. */
export const commandNotExecutable = (command: string, isDirectory: boolean): Failure =>
  notExecutable(
    isDirectory
      ? `${command} is a directory: give the path of a file that can be executed`
      : `${command} cannot be executed: make it executable (chmod +x), or run it by its interpreter`
  )

/** The command that was run has ended with this status, which is not 0. No message follows. */
export class CommandEnded extends Schema.TaggedError<CommandEnded>()("CommandEnded", { status: Schema.Int }) {}
