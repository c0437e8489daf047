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

export const commandNotFound = (command: string): Failure => {
  if (command === "") return notFound("the command to run is empty: give a name or a path after --")
  return command.includes("/")
    ? notFound(`there is no file ${command}: check the path of the command`)
    : notFound(`${command} was not found in PATH: check its name, or give its path`)
}

export const notExecutable = failure(ExitCode.notExecutable)

export const commandNotExecutable = (command: string): Failure =>
  notExecutable(`${command} cannot be executed: make it executable (chmod +x), or run it by its interpreter`)

/** The command that was run has ended with this status, which is not 0. No message follows. */
export class CommandEnded extends Schema.TaggedError<CommandEnded>()("CommandEnded", { status: Schema.Int }) {}
