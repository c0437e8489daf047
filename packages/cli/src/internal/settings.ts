/** The configuration as keys and values on the command line. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { UsageError } from "../Failure.ts"
import * as Span from "./span.ts"

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

interface Setting {
  readonly show: (config: ElectionConfig) => string
  readonly json: keyof Json
  /** What the text sets; `undefined` where it cannot be read. */
  readonly read: (text: string) => Fields | undefined
  readonly syntax: string
}

const spanSetting = (
  field: "leaseDuration" | "heartbeatInterval" | "candidateTimeout",
  json: keyof Json
): Setting => ({
  show: (config) => Span.exact(config[field]),
  json,
  read: (text) => Option.getOrUndefined(Option.map(Span.parse(text), (value) => ({ [field]: value }))),
  syntax: Span.syntax
})

const switches: { readonly [text: string]: boolean } = {
  true: true,
  on: true,
  yes: true,
  false: false,
  off: false,
  no: false
}

const switchSetting = (field: "electionEnabled" | "allowPreemption", json: keyof Json): Setting => ({
  show: (config) => String(config[field]),
  json,
  read: (text) => {
    const value = switches[text.toLowerCase()]
    return value === undefined ? undefined : { [field]: value }
  },
  syntax: "true or false"
})

const settings: ReadonlyMap<string, Setting> = new Map([
  ["lease", spanSetting("leaseDuration", "leaseMillis")],
  ["heartbeat", spanSetting("heartbeatInterval", "heartbeatMillis")],
  ["candidate-timeout", spanSetting("candidateTimeout", "candidateTimeoutMillis")],
  ["enabled", switchSetting("electionEnabled", "enabled")],
  ["preemption", switchSetting("allowPreemption", "preemption")]
])

const keys = [...settings.keys()].join(", ")

const find = (key: string): Effect.Effect<Setting, UsageError> => {
  const setting = settings.get(key)
  return setting === undefined
    ? Effect.fail(
      new UsageError({ problem: `there is no configuration key ${JSON.stringify(key)}: the keys are ${keys}` })
    )
    : Effect.succeed(setting)
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
  let fields: Fields = { ...config }
  for (let i = 0; i < pairs.length; i += 2) {
    const [key, value] = [pairs[i]!, pairs[i + 1]!]
    const { read, syntax } = yield* find(key)
    const change = read(value)
    if (change === undefined) {
      return yield* new UsageError({ problem: `${key} cannot be set to ${JSON.stringify(value)}: give ${syntax}` })
    }
    fields = { ...fields, ...change }
  }
  return new ElectionConfig(fields)
})
