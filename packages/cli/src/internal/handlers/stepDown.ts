import type { HistoryEntry, LeaderState } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { tryAgain } from "../../Failure.ts"
import * as Durations from "../durations.ts"
import { printable } from "../printable.ts"
import { type SelectedElection, transact } from "../selectedElection.ts"

const endings: { readonly [reason in NonNullable<HistoryEntry["reason"]>]: (id: string, term: bigint) => string } = {
  preempted: (id, term) => `"${id}" has stepped down from term ${term} for a candidate of higher priority`,
  resigned: (id, term) => `"${id}" has resigned from term ${term} by itself`,
  "stepped-down": (id, term) => `"${id}" has stepped down from term ${term}`,
  expired: (id, term) => `"${id}" has not answered, and its lease of term ${term} has lapsed`,
  died: (id, term) => `the process of "${id}" has ended in term ${term}`
}

export const stepDown = Effect.fnUntraced(function*(
  { election, name }: SelectedElection,
  wait: Option.Option<Duration.Duration>
) {
  const { asked, config } = yield* transact(
    Effect.all({ asked: election.requestStepDown, config: election.readConfig })
  )
  if (Option.isNone(asked)) return yield* Console.log(`nobody leads ${name.text}`)
  const begun = yield* Clock.monotonicTimeNanos
  const { leaderId, term } = asked.value
  const timeout = Option.getOrElse(wait, () => Duration.sum(config.leaseDuration, config.heartbeatInterval))
  // The first element of `changes` is the present leader.
  const isOver = (leader: Option.Option<LeaderState>) => !Option.exists(leader, (leader) => leader.term === term)
  yield* election.changes.pipe(
    Stream.filter(isOver),
    Stream.runHead,
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        tryAgain(
          `"${leaderId}" still leads in term ${term} after ${Durations.format(timeout)}: it cannot renew its lease ` +
            "any more, so wait until it lapses, or check with `fdb-election status` whether another candidate is alive"
        )
    })
  )
  const took = Duration.nanos((yield* Clock.monotonicTimeNanos) - begun)
  const entries = yield* transact(election.readHistory())
  const reason = entries.find((entry) => entry.term === term)?.reason ?? "expired"
  yield* Console.log(printable(`${endings[reason](leaderId, term)}, after ${Durations.format(took)}`))
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
