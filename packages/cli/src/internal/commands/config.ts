/** `init`, `config`, `enable` and `disable`: the configuration that is in force for everybody. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import { Argument, Command, Flag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as ConfigKeys from "../configKeys.ts"
import { durationFlag } from "../durations.ts"
import { transact } from "../selectedElection.ts"
import * as Table from "../table.ts"
import { json, printJson, printLines, withElection, withNewElection } from "./root.ts"

const preemption = Flag.Boolean("preemption").pipe(
  Flag.withDescription(
    "Lets a candidate of higher priority make the leader step down; the default, unless --no-preemption"
  ),
  Flag.withDefault(true)
)

export const init = Command.make("init", {
  lease: durationFlag("lease", "The time that a leader leads without a renewal; 10s by default"),
  heartbeat: durationFlag(
    "heartbeat",
    "The interval of renewals and heartbeats; 3s, or a third of --lease"
  ),
  candidateTimeout: durationFlag(
    "candidate-timeout",
    "The time without a heartbeat after which a candidate counts as dead; 15s, or one and a half of --lease"
  ),
  preemption
}, (flags) =>
  withNewElection(({ election, name }) =>
    Effect.gen(function*() {
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
      const before = yield* transact(Effect.option(election.readConfig))
      const config = yield* Effect.catchTag(transact(election.initialize(asked)), "InvalidConfig", ConfigKeys.refuse)
      if (Option.isNone(before)) return yield* Console.log(`${name.text} is set up: ${ConfigKeys.inOneLine(config)}`)
      yield* Console.log(
        `${name.text} was set up before` +
          (Equal.equals(config, asked)
            ? `: ${ConfigKeys.inOneLine(config)}`
            : ` with another configuration, which stays in force: ${ConfigKeys.inOneLine(config)}`)
      )
    })
  )).pipe(
    Command.withShortDescription("Creates an election"),
    Command.withDescription(
      "Creates an election. If it exists, nothing changes, and the configuration in force is shown; `fdb-election " +
        "config set` changes it. `fdb-election run` creates an election with the default configuration."
    ),
    Command.withExamples([
      { command: "fdb-election init -e app/scheduler --lease 5s", description: "Takes over within about five seconds" }
    ])
  )

const get = Command.make("get", {
  key: Argument.String("key").pipe(
    Argument.withDescription("lease, heartbeat, candidate-timeout, enabled or preemption; all unless given"),
    Argument.optional
  ),
  json
}, ({ json, key }) =>
  withElection(({ election }) =>
    Effect.gen(function*() {
      const config = yield* transact(election.readConfig)
      if (Option.isNone(key)) {
        return yield* json ? printJson(ConfigKeys.toJson(config)) : printLines(Table.lines(ConfigKeys.all(config)))
      }
      yield* json
        ? Effect.flatMap(ConfigKeys.getJson(config, key.value), printJson)
        : Effect.flatMap(ConfigKeys.get(config, key.value), Console.log)
    })
  )).pipe(Command.withDescription("Shows the configuration, or one value of it."))

const set = Command.make("set", {
  pairs: Argument.String("key value").pipe(
    Argument.withDescription("Pairs of a key and a value; durations as 500ms or 10s, switches as true or false"),
    Argument.variadic({ min: 2 })
  )
}, ({ pairs }) =>
  withElection(({ election, name }) =>
    Effect.gen(function*() {
      const config = yield* transact(Effect.gen(function*() {
        const changed = yield* ConfigKeys.set(yield* election.readConfig, pairs)
        yield* election.writeConfig(changed)
        return changed
      })).pipe(Effect.catchTag("InvalidConfig", ConfigKeys.refuse))
      yield* Console.log(`${name.text}: ${ConfigKeys.inOneLine(config)}`)
    })
  )).pipe(
    Command.withDescription(
      "Changes all of the given values in one transaction. Each process uses them from its next heartbeat on."
    ),
    Command.withExamples([
      { command: "fdb-election config set lease 20s heartbeat 5s", description: "Two values in one transaction" }
    ])
  )

export const config = Command.make("config").pipe(
  Command.withShortDescription("Shows and changes the configuration"),
  Command.withDescription("Shows and changes the configuration, which is stored with the election."),
  Command.withSubcommands([get, set])
)

const toggle = (word: "enable" | "disable", enabled: boolean, short: string, description: string) =>
  Command.make(word, {}, () =>
    withElection(({ election, name }) =>
      Effect.gen(function*() {
        const before = yield* transact(Effect.gen(function*() {
          const config = yield* election.readConfig
          yield* election.writeConfig(new ElectionConfig({ ...config, electionEnabled: enabled }))
          return config.electionEnabled
        }))
        yield* Console.log(
          `${name.text} ${before === enabled ? "was" : "is"} ${word}d${before === enabled ? " already" : ""}`
        )
      })
    )).pipe(Command.withShortDescription(short), Command.withDescription(description))

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
