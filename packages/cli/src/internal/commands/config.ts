/** `init`, `config`, `enable` and `disable`. */
import { Argument, Command, Flag } from "effect/cli"
import { durationFlag } from "../durations.ts"
import { handled } from "../handled.ts"
import { electionCommand, json, switchFlag } from "./root.ts"

const countFlag = (name: "slots" | "shards", description: string) =>
  Flag.Int(name).pipe(
    Flag.withMetavar("N"),
    Flag.withDescription(description),
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
  (selected, flags) => handled(({ init }) => init(selected, flags)),
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
  (selected, flags) => handled(({ get }) => get(selected, flags))
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
  (selected, { pairs }) => handled(({ set }) => set(selected, pairs))
)

export const config = Command.make("config").pipe(
  Command.withShortDescription("Shows and changes the configuration"),
  Command.withDescription("Shows and changes the configuration, which is stored with the election."),
  Command.withSubcommands([get, set])
)

const toggle = (word: "enable" | "disable", short: string, long: string) =>
  electionCommand(
    word,
    { short, long },
    {},
    (selected) => handled(({ toggle }) => toggle(selected, word))
  )

export const enable = toggle(
  "enable",
  "Enables an election",
  "Enables a disabled election. Candidates notice at once."
)

export const disable = toggle(
  "disable",
  "Disables an election: nobody leads",
  "Disables an election: nobody claims or renews, and the leader's work ends before its lease does. For " +
    "maintenance, when nobody must lead."
)
