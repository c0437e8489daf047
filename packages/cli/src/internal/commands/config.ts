/** `init`, `config`, `enable` and `disable`. */
import * as ConfigJson from "@effect-fdb/http/ConfigJson"
import { ElectionConfig } from "@effect-fdb/leader-election"
import { Argument, Command, Flag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import { usageError } from "../../Failure.ts"
import * as ConfigKeys from "../configKeys.ts"
import { durationFlag } from "../durations.ts"
import * as Parts from "../parts.ts"
import { transact } from "../selectedElection.ts"
import * as Table from "../table.ts"
import { electionCommand, json, printJson, printLines, switchFlag } from "./root.ts"
import { parseTerm } from "./terms.ts"

const countFlag = (name: "slots" | "shards", description: string) =>
  Flag.Int(name).pipe(
    Flag.withMetavar("N"),
    Flag.withDescription(description),
    Flag.filter(
      (count) => count >= 1 && count <= Parts.most[name],
      (count) => `--${name} is ${count}: give an integer from 1 to ${Parts.most[name]}`
    ),
    Flag.optional
  )

export const init = electionCommand(
  "init",
  {
    short: "Creates an election",
    long:
      "Creates an election. If it exists, nothing changes, and the configuration in force is shown; `fdb-election " +
      "config set` changes it. `fdb-election run` creates an election with the default configuration.",
    examples: [
      { command: "fdb-election init -e app/scheduler --lease 5s", description: "Takes over within about five seconds" }
    ]
  },
  {
    lease: durationFlag("lease", "The time that a leader leads without a renewal; 10s by default"),
    heartbeat: durationFlag("heartbeat", "The interval of renewals and heartbeats; 3s, or a third of --lease"),
    candidateTimeout: durationFlag(
      "candidate-timeout",
      "The time without a heartbeat after which a candidate counts as dead; 15s, or one and a half of --lease"
    ),
    preemption: switchFlag(
      "preemption",
      "Lets a candidate of higher priority make the leader step down; the default, unless --no-preemption",
      true
    ),
    slots: countFlag("slots", "Creates the elections of so many slots as well, for `run --slots`"),
    shards: countFlag("shards", "Creates the elections of so many shards as well, for `run --shards`"),
    termsFrom: Flag.String("terms-from").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Lets every term be N at least, also of an election that exists: see `raise-terms`"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function*(selected, flags) {
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
  }),
  true
)

const get = electionCommand(
  "get",
  { short: "Shows the configuration", long: "Shows the configuration, or one value of it." },
  {
    key: Argument.String("key").pipe(
      Argument.withDescription("lease, heartbeat, candidate-timeout, enabled or preemption; all unless given"),
      Argument.optional
    ),
    json
  },
  Effect.fnUntraced(function*({ election }, { json, key }) {
    const config = yield* transact(election.readConfig)
    if (Option.isNone(key)) {
      return yield* json ? printJson(ConfigJson.toJson(config)) : printLines(Table.lines(ConfigKeys.all(config)))
    }
    const value = yield* ConfigKeys.get(config, key.value)
    yield* json ? printJson(ConfigJson.valueToJson(value)) : Console.log(ConfigKeys.valueToText(value))
  })
)

const set = electionCommand(
  "set",
  {
    short: "Changes the configuration",
    long: "Changes all of the given values in one transaction. Each process uses them from its next heartbeat on.",
    examples: [{
      command: "fdb-election config set lease 20s heartbeat 5s",
      description: "Two values in one transaction"
    }]
  },
  {
    pairs: Argument.String("key value").pipe(
      Argument.withDescription("Pairs of a key and a value; durations as 500ms or 10s, switches as true or false"),
      Argument.variadic({ min: 2 })
    )
  },
  Effect.fnUntraced(function*({ election, name }, { pairs }) {
    const config = yield* transact(Effect.gen(function*() {
      const changed = yield* ConfigKeys.set(yield* election.readConfig, pairs)
      yield* election.writeConfig(changed)
      return changed
    })).pipe(Effect.catchTag("InvalidConfig", ConfigKeys.refuse))
    yield* Console.log(`${name.text}: ${ConfigKeys.inOneLine(config)}`)
  })
)

export const config = Command.make("config").pipe(
  Command.withShortDescription("Shows and changes the configuration"),
  Command.withDescription("Shows and changes the configuration, which is stored with the election."),
  Command.withSubcommands([get, set])
)

const toggle = (word: "enable" | "disable", enabled: boolean, short: string, long: string) =>
  electionCommand(
    word,
    { short, long },
    {},
    Effect.fnUntraced(function*({ election, name }) {
      const before = yield* transact(Effect.gen(function*() {
        const config = yield* election.readConfig
        yield* election.writeConfig(new ElectionConfig({ ...config, electionEnabled: enabled }))
        return config.electionEnabled
      }))
      yield* Console.log(`${name.text} ${before === enabled ? `was ${word}d already` : `is ${word}d`}`)
    })
  )

export const enable = toggle(
  "enable",
  true,
  "Enables an election",
  "Enables a disabled election. Candidates notice at once."
)

export const disable = toggle(
  "disable",
  false,
  "Disables an election: nobody leads",
  "Disables an election: nobody claims or renews, and the leader's work ends before its lease does. For " +
    "maintenance, when nobody must lead."
)
