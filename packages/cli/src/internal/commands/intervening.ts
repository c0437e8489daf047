/** `step-down` and `evict`: what operators do to those who take part. */
import type { HistoryEntry, LeaderState } from "@effect-fdb/leader-election"
import { Command } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { LeaderRemains } from "../../Failure.ts"
import { durationFlag } from "../durationFlag.ts"
import * as Durations from "../durations.ts"
import { printable } from "../printable.ts"
import { type Target, transact } from "../selectedElection.ts"
import { onTarget } from "./root.ts"

const whatHappened = (asked: LeaderState, entry: HistoryEntry | undefined): string => {
  const { leaderId, term } = asked
  switch (entry?.reason) {
    case "preempted":
      return `"${leaderId}" has made way in term ${term} for a candidate of higher priority`
    case "resigned":
      return `"${leaderId}" has resigned from term ${term} by itself`
    case "stepped-down":
      return `"${leaderId}" has stepped down from term ${term}`
    case "expired":
    case undefined:
      return `"${leaderId}" has not answered, and its lease of term ${term} has lapsed`
  }
}

const stepDownAndWait = (target: Target, wait: Option.Option<Duration.Duration>) =>
  Effect.gen(function*() {
    const { election, name } = target
    const { asked, config } = yield* transact(
      Effect.all({ asked: election.requestStepDown, config: election.readConfig })
    )
    if (Option.isNone(asked)) return yield* Console.log(`nobody leads ${name.text}, so nobody has to step down`)
    const begun = yield* Clock.monotonicTimeNanos
    const { leaderId, term } = asked.value
    /** Each look at the election begins with what is in force, which is this tenure until another takes it over. */
    const isOver = (leader: Option.Option<LeaderState>) => !Option.exists(leader, (leader) => leader.term === term)
    const patience = Option.getOrElse(wait, () => Duration.sum(config.leaseDuration, config.heartbeatInterval))
    yield* election.changes.pipe(
      Stream.filter(isOver),
      Stream.runHead,
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(new LeaderRemains({ leader: leaderId, term, waited: Durations.format(patience) }))
      })
    )
    const took = Duration.nanos((yield* Clock.monotonicTimeNanos) - begun)
    const entries = yield* transact(election.readHistory())
    const ended = entries.find((entry) => entry.term === term)
    yield* Console.log(printable(`${whatHappened(asked.value, ended)}, after ${Durations.format(took)}`))
    const successor = yield* election.changes.pipe(
      Stream.filter((leader) => Option.isSome(leader) && isOver(leader)),
      Stream.runHead,
      Effect.timeoutOption(Duration.times(config.heartbeatInterval, 2)),
      Effect.map((found) => Option.flatten(Option.flatten(found)))
    )
    yield* Console.log(Option.match(successor, {
      onNone: () => "nobody has taken over yet",
      onSome: (leader) => printable(`"${leader.leaderId}" leads now, in term ${leader.term}`)
    }))
  })

export const stepDown = Command.make("step-down", {
  wait: durationFlag("wait", "How long to wait for it; a lease and a heartbeat unless set")
}, ({ wait }) => onTarget((target) => stepDownAndWait(target, wait))).pipe(
  Command.withShortDescription("Asks the leader to step down, and waits until it has"),
  Command.withDescription(
    "Asks the leader to step down, waits, and says what happened. Its work is ended first, by its own rules; others then lead " +
      "without waiting for a lease. A leader that does not answer cannot renew its lease any more. Who has stepped down leaves " +
      "the vacancy to others for a heartbeat; without others it leads again."
  ),
  Command.withExamples([{
    command: "fdb-election step-down -e app/scheduler",
    description: "Before maintenance of a host"
  }])
)

export const evict = Command.make("evict", {}, () =>
  onTarget(({ election, name }) =>
    Effect.gen(function*() {
      const evicted = yield* transact(election.evictDeadCandidates)
      yield* Console.log(
        evicted === 0
          ? `there is nobody to remove from ${name.text}: the leader of a tenure is never removed, and no other candidate is dead`
          : `${evicted} dead candidate${evicted === 1 ? "" : "s"} of ${name.text} removed`
      )
    })
  )).pipe(
    Command.withShortDescription("Removes the records of dead candidates"),
    Command.withDescription(
      "Removes the records of candidates whose last heartbeat is older than the candidate timeout. The leader of a tenure is never " +
        "removed, dead or not, before another has taken over. One that was only taken for dead registers again by itself."
    )
  )
