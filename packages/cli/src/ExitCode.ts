/**
 * The exit codes of the command. They follow `sysexits.h` and the shell. `fdb-election run` returns the exit code of the command that
 * it ran, which may be equal to one of these.
 */
import * as os from "node:os"

export const ok = 0
/** A simulation found a broken promise. */
export const promiseBroken = 1
/** The command line is wrong: a flag, a name, an id, a value of the configuration. */
export const usage = 64
/** The election's records are damaged, or of a newer version. */
export const invalidRecords = 65
/** The election was never set up. */
export const noElection = 66
/** The store cannot be opened or reached. */
export const unavailable = 69
/** A bug in the command. */
export const internal = 70
/** The operating system refused to start or end a process or to write the output, or its clock is wrong. */
export const system = 71
/** Another process takes part under the same id. */
export const idTaken = 73
/** The leadership was lost, or the leader has not stepped down. Another attempt may succeed. */
export const tryAgain = 75
/** The command to run exists, but cannot be executed. */
export const notExecutable = 126
export const notFound = 127
/** Interrupted, as by Ctrl-C: 128 plus SIGINT. */
export const interrupted = 130

export const ofSignal = (signal: `SIG${string}`): number => 128 + (os.constants.signals[signal as never] as number)

const byTag: { readonly [tag: string]: number } = {
  PromiseBroken: promiseBroken,
  ShowHelp: usage,
  UsageError: usage,
  InvalidCandidate: usage,
  InvalidConfig: usage,
  InvalidShards: usage,
  InvalidTerm: usage,
  ShardsDiffer: usage,
  InvalidState: invalidRecords,
  ClockOutOfRange: system,
  CandidateSuperseded: idTaken
}

/** The exit code of an error; `internal` for an unexpected one. */
export const ofError = (error: unknown): number => {
  if (typeof error !== "object" || error === null) return internal
  if ("exitCode" in error && typeof error.exitCode === "number") return error.exitCode
  return ("_tag" in error ? byTag[String(error._tag)] : undefined) ?? internal
}
