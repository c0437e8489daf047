/** The configuration as keys and values on the command line. */
import { ElectionConfig, type InvalidConfig } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { UsageError } from "../Failure.ts"
import * as Durations from "./durations.ts"

type Fields = ConstructorParameters<typeof ElectionConfig>[0]

/** The configuration for programs. */
export const toJson = (config: ElectionConfig) => ({
  leaseMillis: Duration.toMillis(config.leaseDuration),
  heartbeatMillis: Duration.toMillis(config.heartbeatInterval),
  candidateTimeoutMillis: Duration.toMillis(config.candidateTimeout),
  enabled: config.electionEnabled,
  preemption: config.allowPreemption
})

type Json = ReturnType<typeof toJson>

type DurationField = "leaseDuration" | "heartbeatInterval" | "candidateTimeout"
type SwitchField = "electionEnabled" | "allowPreemption"

interface ConfigKey {
  readonly field: DurationField | SwitchField
  readonly show: (config: ElectionConfig) => string
  readonly json: keyof Json
  /** What the text sets; `undefined` where it cannot be read. */
  readonly read: (text: string) => Fields | undefined
  readonly syntax: string
}

const durationKey = (field: DurationField, json: keyof Json): ConfigKey => ({
  field,
  show: (config) => Durations.exact(config[field]),
  json,
  read: (text) => Option.getOrUndefined(Option.map(Durations.parse(text), (value) => ({ [field]: value }))),
  syntax: Durations.syntax
})

const switches: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["on", true],
  ["yes", true],
  ["false", false],
  ["off", false],
  ["no", false]
])

const switchKey = (field: SwitchField, json: keyof Json): ConfigKey => ({
  field,
  show: (config) => String(config[field]),
  json,
  read: (text) => {
    const value = switches.get(text.toLowerCase())
    return value === undefined ? undefined : { [field]: value }
  },
  syntax: "true or false"
})

const settings: ReadonlyMap<string, ConfigKey> = new Map([
  ["lease", durationKey("leaseDuration", "leaseMillis")],
  ["heartbeat", durationKey("heartbeatInterval", "heartbeatMillis")],
  ["candidate-timeout", durationKey("candidateTimeout", "candidateTimeoutMillis")],
  ["enabled", switchKey("electionEnabled", "enabled")],
  ["preemption", switchKey("allowPreemption", "preemption")]
])

const keys = [...settings.keys()].join(", ")

const find = (key: string): Effect.Effect<ConfigKey, UsageError> => {
  const setting = settings.get(key)
  return setting === undefined
    ? Effect.fail(
      new UsageError({ problem: `there is no configuration key ${JSON.stringify(key)}: the keys are ${keys}` })
    )
    : Effect.succeed(setting)
}

/** The longest duration that can be set; the library records durations in 62 bits of nanoseconds, which is a little more. */
const longest = Duration.days(146 * 365)

/** Fails where a duration of the configuration is longer than can be recorded. */
export const checkDurations = (config: ElectionConfig): Effect.Effect<ElectionConfig, UsageError> => {
  for (const [key, { field }] of settings) {
    const value = config[field]
    if (Duration.isDuration(value) && Duration.isGreaterThan(value, longest)) {
      return Effect.fail(
        new UsageError({
          problem: `the ${key} is ${Durations.format(value)}; the longest that can be set is about 146 years`
        })
      )
    }
  }
  return Effect.succeed(config)
}

/** What is wrong with a configuration, by the key of this command and not by the library's field. */
export const refuse = ({ field, problem }: InvalidConfig): Effect.Effect<never, UsageError> => {
  const key = [...settings].find(([, setting]) => setting.field === field)?.[0] ?? field
  return Effect.fail(new UsageError({ problem: `the ${key} ${problem}` }))
}

/** Every key with its value, in the form that `config set` reads. */
export const all = (config: ElectionConfig): Array<readonly [key: string, value: string]> =>
  [...settings].map(([key, { show }]) => [key, show(config)])

/** The value of one key, in that form. */
export const get = (config: ElectionConfig, key: string): Effect.Effect<string, UsageError> =>
  Effect.map(find(key), ({ show }) => show(config))

/** The value of one key, as `toJson` has it. */
export const getJson = (config: ElectionConfig, key: string): Effect.Effect<number | boolean, UsageError> =>
  Effect.map(find(key), ({ json }) => toJson(config)[json])

/** The configuration with `KEY VALUE KEY VALUE …` set. */
export const set = Effect.fnUntraced(function*(config: ElectionConfig, pairs: ReadonlyArray<string>) {
  if (pairs.length % 2 !== 0) {
    return yield* new UsageError({ problem: "config set takes keys and values in turn, as in lease 20s heartbeat 5s" })
  }
  const given = new Set<string>()
  let fields: Fields = { ...config }
  for (let i = 0; i < pairs.length; i += 2) {
    const [key, value] = [pairs[i]!, pairs[i + 1]!]
    const { read, syntax } = yield* find(key)
    if (given.has(key)) return yield* new UsageError({ problem: `${key} is given twice: give each key once` })
    given.add(key)
    const change = read(value)
    if (change === undefined) {
      return yield* new UsageError({ problem: `${key} cannot be set to ${JSON.stringify(value)}: give ${syntax}` })
    }
    fields = { ...fields, ...change }
  }
  return yield* checkDurations(new ElectionConfig(fields))
})
