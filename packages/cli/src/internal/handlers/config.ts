import * as ConfigJson from "@effect-fdb/http/ConfigJson"
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Console from "effect/Console"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import { usageError } from "../../Failure.ts"
import { printJson, printLines } from "../commands/root.ts"
import * as ConfigKeys from "../configKeys.ts"
import * as Parts from "../parts.ts"
import { type SelectedElection, transact } from "../selectedElection.ts"
import * as Table from "../table.ts"
import { parseTerm } from "./terms.ts"

export interface InitOptions {
  readonly lease: Option.Option<Duration.Duration>
  readonly heartbeat: Option.Option<Duration.Duration>
  readonly candidateTimeout: Option.Option<Duration.Duration>
  readonly preemption: boolean
  readonly slots: Option.Option<number>
  readonly shards: Option.Option<number>
  readonly termsFrom: Option.Option<string>
}

const checkCount = (name: "slots" | "shards", count: Option.Option<number>) =>
  Option.exists(count, (count) => count < 1 || count > Parts.most[name])
    ? usageError(`--${name} is ${Option.getOrNull(count)}: give an integer from 1 to ${Parts.most[name]}`)
    : Effect.void

export const init = Effect.fnUntraced(function*(selected: SelectedElection, flags: InitOptions) {
  const { election, name } = selected
  const base = Option.match(flags.lease, {
    onNone: () => new ElectionConfig({}),
    onSome: ElectionConfig.withLeaseDuration
  })
  const asked = yield* ConfigKeys.checkDurations(
    new ElectionConfig({
      ...base,
      heartbeatInterval: Option.getOrElse(flags.heartbeat, () => base.heartbeatInterval),
      candidateTimeout: Option.getOrElse(flags.candidateTimeout, () => base.candidateTimeout),
      allowPreemption: flags.preemption
    })
  )
  if (selected.slot !== undefined && (Option.isSome(flags.slots) || Option.isSome(flags.shards))) {
    return yield* usageError("--slot is one slot: leave out --slots and --shards, or --slot")
  }
  yield* checkCount("slots", flags.slots)
  yield* checkCount("shards", flags.shards)
  const termsFrom = Option.flatMap(flags.termsFrom, parseTerm)
  if (Option.isSome(flags.termsFrom) && Option.isNone(termsFrom)) {
    return yield* usageError(`--terms-from is ${JSON.stringify(flags.termsFrom.value)}: give a whole number`)
  }
  const create = ({ election }: Pick<Parts.Part, "election">) =>
    transact(election.initialize({ ...asked, termsFrom: Option.getOrUndefined(termsFrom) })).pipe(
      Effect.catchTag("InvalidConfig", ConfigKeys.refuse)
    )
  const before = yield* transact(Effect.option(election.readConfig))
  const config = yield* create({ election })
  const counts = { slots: Option.getOrUndefined(flags.slots), shards: Option.getOrUndefined(flags.shards) }
  yield* Effect.forEach(Parts.counted(selected, counts), create, { concurrency: 8, discard: true })
  const what = Option.isNone(before) ? "is set up" : "was set up before"
  const differs = Equal.equals(config, asked) ? "" : " with another configuration, which stays in force"
  yield* Console.log(`${name.text} ${what}${differs}: ${ConfigKeys.inOneLine(config)}`)
})

export interface GetOptions {
  readonly key: Option.Option<string>
  readonly json: boolean
}

export const get = Effect.fnUntraced(function*({ election }: SelectedElection, { json, key }: GetOptions) {
  const config = yield* transact(election.readConfig)
  if (Option.isNone(key)) {
    return yield* json ? printJson(ConfigJson.toJson(config)) : printLines(Table.lines(ConfigKeys.all(config)))
  }
  const value = yield* ConfigKeys.get(config, key.value)
  yield* json ? printJson(ConfigJson.valueToJson(value)) : Console.log(ConfigKeys.valueToText(value))
})

export const set = Effect.fnUntraced(function*({ election, name }: SelectedElection, pairs: ReadonlyArray<string>) {
  const config = yield* transact(Effect.gen(function*() {
    const changed = yield* ConfigKeys.set(yield* election.readConfig, pairs)
    yield* election.writeConfig(changed)
    return changed
  })).pipe(Effect.catchTag("InvalidConfig", ConfigKeys.refuse))
  yield* Console.log(`${name.text}: ${ConfigKeys.inOneLine(config)}`)
})

export const toggle = Effect.fnUntraced(function*({ election, name }: SelectedElection, word: "enable" | "disable") {
  const enabled = word === "enable"
  const before = yield* transact(Effect.gen(function*() {
    const config = yield* election.readConfig
    yield* election.writeConfig(new ElectionConfig({ ...config, electionEnabled: enabled }))
    return config.electionEnabled
  }))
  yield* Console.log(`${name.text} ${before === enabled ? `was ${word}d already` : `is ${word}d`}`)
})
