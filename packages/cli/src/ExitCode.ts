/**
 * What the command's exit codes mean. They are those of `sysexits.h` and of the shell, where these have one.
 *
 * `fdb-election run` gives the exit code of the command that it ran, which may be any of these.
 */
import * as Predicate from "effect/Predicate"

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
/** The command itself is at fault. */
export const internal = 70
/** The operating system refused something: to start or end a process, to write the output; or its clock is wrong. */
export const system = 71
/** Another process takes part under the same id. */
export const idTaken = 73
/** Not now: the leadership was lost, or the leader has not stepped down. Trying again may help. */
export const tryAgain = 75
/** The command to run exists, but cannot be executed. */
export const notExecutable = 126
export const notFound = 127
/** Interrupted, as by Ctrl-C: 128 and SIGINT. */
export const interrupted = 130

export const ofSignal = (signalNumber: number): number => 128 + signalNumber

/** By the tags of the errors of elections and of the command line. */
const byTag: { readonly [tag: string]: number } = {
  PromiseBroken: promiseBroken,
  ShowHelp: usage,
  UsageError: usage,
  InvalidCandidate: usage,
  InvalidConfig: usage,
  InvalidState: invalidRecords,
  ClockOutOfRange: system,
  CandidateSuperseded: idTaken
}

/** The exit code of an error; `internal` for what should not have happened. */
export const ofError = (error: unknown): number => {
  if (Predicate.hasProperty(error, "exitCode") && typeof error.exitCode === "number") return error.exitCode
  return (Predicate.hasProperty(error, "_tag") ? byTag[String(error._tag)] : undefined) ?? internal
}
