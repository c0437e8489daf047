/**
 * Negative durations on the command line. The parser would take `-1s` for flags that there are not, and name neither it
 * nor what it was meant for.
 */
import * as Effect from "effect/Effect"
import { UsageError } from "../Failure.ts"
import * as Durations from "./durations.ts"

/** The flags and the keys of the configuration that take a duration. */
const takers: ReadonlySet<string | undefined> = new Set([
  "--lease",
  "--heartbeat",
  "--candidate-timeout",
  "--grace",
  "--wait",
  "lease",
  "heartbeat",
  "candidate-timeout"
])

/** Fails where a flag or a key of the configuration is given a negative duration. What follows `--` is not ours. */
export const refuse = (args: ReadonlyArray<string>): Effect.Effect<void, UsageError> => {
  const separator = args.indexOf("--")
  const own = separator < 0 ? args : args.slice(0, separator)
  const at = own.findIndex((arg, i) => Durations.isNegative(arg) && takers.has(own[i - 1]))
  return at < 0
    ? Effect.void
    : Effect.fail(new UsageError({ problem: `${own[at - 1]} cannot be ${own[at]}: a duration has to be positive` }))
}
