/**
 * How the command can fail by itself. Each message is the sentence that a person gets to read.
 */
import * as Schema from "effect/Schema"

/** The command line asks for something that there cannot be. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/** The command to run is nowhere in `PATH`, or the file is not there. */
export class CommandNotFound extends Schema.TaggedError<CommandNotFound>()("CommandNotFound", {
  command: Schema.String
}) {
  override get message(): string {
    if (this.command === "") return "the command to run is empty: give its name or its path after --"
    return this.command.includes("/")
      ? `there is no file ${this.command}: check the path of the command`
      : `${this.command} was not found in PATH: check its name, or give its path`
  }
}

/** The command to run is a directory, or a file that this user may not execute. */
export class CommandNotExecutable extends Schema.TaggedError<CommandNotExecutable>()("CommandNotExecutable", {
  command: Schema.String,
  isDirectory: Schema.Boolean
}) {
  override get message(): string {
    if (this.isDirectory) return `${this.command} is a directory: give the path of a file that can be executed`
    return `${this.command} cannot be executed: make it executable (chmod +x), or run it by its interpreter`
  }
}

/** The operating system refused what the command depends on. */
export class SystemRefused extends Schema.TaggedError<SystemRefused>()("SystemRefused", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/** The leader that was asked to step down still leads. */
export class LeaderRemains extends Schema.TaggedError<LeaderRemains>()("LeaderRemains", {
  leader: Schema.String,
  term: Schema.BigInt,
  waited: Schema.String
}) {
  override get message(): string {
    return `"${this.leader}" still leads in term ${this.term} after ${this.waited}: it cannot renew its lease any more, ` +
      "so wait until that lapses, or look with `fdb-election status` whether anybody is there to take over"
  }
}

/** The election was never set up in this store. */
export class NoElection extends Schema.TaggedError<NoElection>()("NoElection", {
  election: Schema.String,
  store: Schema.String
}) {
  override get message(): string {
    return `there is no election ${this.election} in ${this.store}: set it up with \`fdb-election init\`, or check ` +
      "--election and where the store is"
  }
}

/** The store is open and fails. */
export class StoreFailed extends Schema.TaggedError<StoreFailed>()("StoreFailed", {
  store: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.store} does not serve: ${this.problem}; check that it is up, and try again`
  }
}

/** The command that was run has ended with a status that is not 0, which becomes this command's own. Nothing is said of it. */
export class CommandEnded extends Schema.TaggedError<CommandEnded>()("CommandEnded", { status: Schema.Int }) {}

/** The leadership was lost, and the command was ended before another could lead. */
export class CommandStopped extends Schema.TaggedError<CommandStopped>()("CommandStopped", {
  term: Schema.BigInt,
  why: Schema.String
}) {
  override get message(): string {
    return `the command was ended with the leadership of term ${this.term}, for ${this.why}; with --again it would wait ` +
      "to lead again"
  }
}
