/** Durations as text. */
import { Flag } from "effect/cli"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Failure, usageError } from "../Failure.ts"

/** The nanoseconds of each unit, by all of its names. */
const units: ReadonlyArray<readonly [nanos: number, names: RegExp]> = [
  [1, /^ns$/],
  [1e3, /^[uµ]s$/],
  [1e6, /^ms$/],
  [1e9, /^s(ec(onds?)?)?$/],
  [60e9, /^m(in(utes?)?)?$/],
  [3600e9, /^h(ours?)?$/],
  [86_400e9, /^d(ays?)?$/]
]

/** The syntax of {@link parse}, for messages. */
export const syntax = "a positive number and a unit, such as 500ms, 10s, 1.5m or 1m30s (the greater unit first)"

/** Reads `500ms`, `10s`, `10 seconds`, `1m30s`: each unit once, in descending order. */
export const parse = (text: string): Option.Option<Duration.Duration> => {
  const part = /(\d+(?:\.\d+)?)\s*([a-zµ]+)\s*/gy
  let nanos = 0
  let end = 0
  let smallest = Infinity
  const trimmed = text.trim()
  for (let match = part.exec(trimmed); match !== null; match = part.exec(trimmed)) {
    const unit = units.find(([, names]) => names.test(match![2]!))?.[0]
    if (unit === undefined || unit >= smallest) return Option.none()
    smallest = unit
    nanos += Number(match[1]) * unit
    end = part.lastIndex
  }
  return trimmed === "" || end !== trimmed.length || !Number.isFinite(nanos)
    ? Option.none()
    : Option.some(Duration.nanos(BigInt(Math.round(nanos))))
}

const rounded = (value: number): string => value < 10 ? String(Math.round(value * 10) / 10) : String(Math.round(value))

/** Formats a duration, rounded: `250 ms`, `8.1 s`, `3 min 2 s`, `2 h 5 min`, `4 d 1 h`. */
export const format = (duration: Duration.Duration): string => {
  const millis = Duration.toMillis(duration)
  if (millis < 999.5) return `${rounded(millis)} ms`
  if (millis < 59_950) return `${rounded(millis / 1000)} s`
  const seconds = Math.round(millis / 1000)
  const two = (unit: number, name: string, smaller: number, smallerName: string) => {
    const rest = Math.floor((seconds % unit) / smaller)
    return `${Math.floor(seconds / unit)} ${name}${rest === 0 ? "" : ` ${rest} ${smallerName}`}`
  }
  if (seconds < 3600) return two(60, "min", 1, "s")
  return seconds < 86_400 ? two(3600, "h", 60, "min") : two(86_400, "d", 3600, "h")
}

/** {@link format} of nanoseconds. A negative number (two hosts' clocks may differ) counts as zero. */
export const formatNanos = (nanos: bigint): string => format(Duration.nanos(nanos < 0n ? 0n : nanos))

/** Formats a duration exactly, so that `parse` reads it. */
export const exact = (duration: Duration.Duration): string => {
  const nanos = Duration.toNanosUnsafe(duration)
  for (const [unit, size] of [["s", 1_000_000_000n], ["ms", 1_000_000n], ["us", 1000n]] as const) {
    if (nanos % size === 0n) return `${nanos / size}${unit}`
  }
  return `${nanos}ns`
}

export const durationFlag = (name: string, description: string): Flag.Flag<Option.Option<Duration.Duration>> =>
  Flag.String(name).pipe(
    Flag.withMetavar("DURATION"),
    Flag.withDescription(description),
    Flag.filterMap(parse, (text) => `${JSON.stringify(text)} is not a duration: give ${syntax}`),
    Flag.optional
  )

export const isNegative = (text: string): boolean => text.startsWith("-") && Option.isSome(parse(text.slice(1)))

/** The flags and the configuration keys that take a duration. */
const takers = /^(--lease|--heartbeat|--candidate-timeout|--grace|--wait|lease|heartbeat|candidate-timeout)$/

/**
 * Fails if a flag or a configuration key has a negative duration. Otherwise the parser would report `-1s` as unknown flags. Arguments
 * after `--` belong to the command.
 */
export const refuseNegative = (args: ReadonlyArray<string>): Effect.Effect<void, Failure> => {
  const separator = args.indexOf("--")
  const own = separator < 0 ? args : args.slice(0, separator)
  const at = own.findIndex((arg, i) => isNegative(arg) && takers.test(own[i - 1] ?? ""))
  return at < 0
    ? Effect.void
    : Effect.fail(usageError(`${own[at - 1]} cannot be ${own[at]}: a duration must be positive`))
}
