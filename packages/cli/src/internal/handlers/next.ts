/** What to do next: the answer to a command line without a subcommand. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ExitCode from "../../ExitCode.ts"
import { Failure } from "../../Failure.ts"
import { printLines, type RootFlags } from "../commands/root.ts"
import { printable } from "../printable.ts"
import { type SelectedElection, transact } from "../selectedElection.ts"
import * as Table from "../table.ts"
import { openElection } from "./openElection.ts"

/** Whether the election is led, in a sentence; `undefined` if nobody leads. */
const leaderOf = Effect.fnUntraced(function*({ election, name }: SelectedElection) {
  // `readConfig` fails if the election was never set up.
  const { leader } = yield* transact(Effect.all({ config: election.readConfig, leader: election.getLeaderRaw }))
  const now = yield* Clock.currentTimeNanos
  const valid = Option.filter(leader, (leader) => leader.isLeaseValid(now))
  return {
    isLed: Option.isSome(valid),
    text: Option.match(valid, {
      onNone: () => `Nobody leads ${name.text}.`,
      onSome: ({ leaderId, term }) => `"${leaderId}" leads ${name.text}, in term ${term}.`
    })
  }
})

const run = ["fdb-election run -- ./scheduler.sh", "runs a command while this process leads; start it several times"]
const watch = ["fdb-election watch", "shows who leads, again and again"]
const history = ["fdb-election history", "lists who has led, and why each one ended"]
const stepDown = ["fdb-election step-down", "makes the leader stop, so that another takes over"]
const init = ["fdb-election init --lease 5s", "or sets it up first, with a lease of your choice"]
const help = ["fdb-election --help", "lists all subcommands and flags"]

const print = (text: string, steps: ReadonlyArray<ReadonlyArray<string>>) =>
  printLines([printable(text), "", "Next:", ...Table.lines([...steps, help]).map((line) => `  ${line}`)])

export const next = (flags: RootFlags) =>
  openElection(flags, leaderOf, { hears: false, makesStore: false }).pipe(
    Effect.flatMap(({ isLed, text }) => print(text, isLed ? [watch, stepDown, run] : [run, watch, history])),
    Effect.catchIf(
      (error) => error instanceof Failure && error.exitCode === ExitCode.noElection,
      () => print("Nobody has set up this election yet.", [run, init])
    )
  )
