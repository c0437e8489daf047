import { ElectionConfig, type InvalidConfig } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Failure, usageError } from "../Failure.ts"
import * as Durations from "./durations.ts"

type Value = Duration.Duration | boolean

interface ConfigKey {
  readonly field: "leaseDuration" | "heartbeatInterval" | "candidateTimeout" | "electionEnabled" | "allowPreemption"
}

const keys: ReadonlyMap<string, ConfigKey> = new Map<string, ConfigKey>([
  ["lease", { field: "leaseDuration" }],
  ["heartbeat", { field: "heartbeatInterval" }],
  ["candidate-timeout", { field: "candidateTimeout" }],
  ["enabled", { field: "electionEnabled" }],
  ["preemption", { field: "allowPreemption" }]
])

/** A value in the form that `config set` reads. */
export const valueToText = (value: Value): string => Duration.isDuration(value) ? Durations.exact(value) : String(value)

export const inOneLine = (config: ElectionConfig): string => {
  const times = [config.leaseDuration, config.heartbeatInterval, config.candidateTimeout].map(Durations.format)
  const [enabled, preemption] = [config.electionEnabled ? "enabled" : "disabled", config.allowPreemption ? "on" : "off"]
  return `lease ${times[0]}, heartbeat ${times[1]}, candidate timeout ${times[2]}, ${enabled}, preemption ${preemption}`
}

/** Parses a value of the same kind as `before`. */
const read = (text: string, before: Value): Option.Option<Value> => {
  if (Duration.isDuration(before)) return Durations.parse(text)
  if (/^(true|on|yes)$/i.test(text)) return Option.some(true)
  return /^(false|off|no)$/i.test(text) ? Option.some(false) : Option.none()
}

const find = (key: string): Effect.Effect<ConfigKey, Failure> => {
  const found = keys.get(key)
  return found === undefined
    ? usageError(`there is no configuration key ${JSON.stringify(key)}: the keys are ${[...keys.keys()].join(", ")}`)
    : Effect.succeed(found)
}

/** The longest duration. The library stores 62 bits of nanoseconds, which is a little more. */
const longest = Duration.days(146 * 365)

export const checkDurations = (config: ElectionConfig): Effect.Effect<ElectionConfig, Failure> => {
  for (const [key, { field }] of keys) {
    const value = config[field]
    if (Duration.isDuration(value) && Duration.isGreaterThan(value, longest)) {
      return usageError(`the ${key} is ${Durations.format(value)}; the longest that can be set is about 146 years`)
    }
  }
  return Effect.succeed(config)
}

/** Reports an invalid configuration, with the key of this command instead of the library's field. */
export const refuse = ({ field, problem }: InvalidConfig): Effect.Effect<never, Failure> =>
  usageError(`the ${[...keys].find(([, key]) => key.field === field)?.[0] ?? field} ${problem}`)

/** Every key with its value, in the form that `config set` reads. */
export const all = (config: ElectionConfig): Array<readonly [key: string, value: string]> =>
  [...keys].map(([key, { field }]) => [key, valueToText(config[field])])

export const get = (config: ElectionConfig, key: string): Effect.Effect<Value, Failure> =>
  Effect.map(find(key), ({ field }) => config[field])

/** The configuration with `KEY VALUE KEY VALUE …` set. */
export const set = Effect.fnUntraced(function*(config: ElectionConfig, pairs: ReadonlyArray<string>) {
  if (pairs.length % 2 !== 0) {
    return yield* usageError("config set takes pairs of a key and a value, such as lease 20s heartbeat 5s")
  }
  const given: Record<string, Value> = {}
  for (let i = 0; i < pairs.length; i += 2) {
    const [key, text] = [pairs[i]!, pairs[i + 1]!]
    const { field } = yield* find(key)
    if (field in given) return yield* usageError(`${key} is given twice: give each key once`)
    const value = read(text, config[field])
    if (Option.isNone(value)) {
      const syntax = Duration.isDuration(config[field]) ? Durations.syntax : "true or false"
      return yield* usageError(`${key} cannot be set to ${JSON.stringify(text)}: give ${syntax}`)
    }
    given[field] = value.value
  }
  return yield* checkDurations(new ElectionConfig({ ...config, ...given }))
})
