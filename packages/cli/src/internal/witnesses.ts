/** By how many processes of this host a leader is witnessed, as seen from outside. */
import { Testimony, Witness as WitnessService } from "@effect-fdb/core"
import type { LeaderState } from "@effect-fdb/leader-election"
import { Witness } from "@effect-fdb/witness"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SelectedElection } from "./selectedElection.ts"

/** The time in which the processes of the host have to greet this one, and in which the last of them does after the leader. */
const looks = 20
const pause = "10 millis"
const rest = "30 millis"

/** The number of processes that would know of its end at once, without this one; `undefined` if this process cannot know it. */
export const of = Effect.fnUntraced(function*({ election }: SelectedElection, { leaderId, registration }: LeaderState) {
  const witness = Option.getOrElse(yield* Effect.serviceOption(WitnessService), () => Witness.none)
  if (witness === Witness.none) return undefined
  const testimony = Testimony.make(Testimony.ofSubspace(election.subspace), leaderId, registration)
  for (let i = 0; i < looks && witness.witnesses(testimony) === 0; i++) yield* Effect.sleep(pause)
  if (witness.witnesses(testimony) === 0) return 0
  yield* Effect.sleep(rest)
  return Math.max(witness.witnesses(testimony) - 1, 0)
})

export const text = (witnesses: number): string => {
  if (witnesses > 0) return `${witnesses} on this host: if the leader's process dies, another leads at once`
  return "none on this host: if the leader's process dies, its lease is waited for, unless it is `fdb-election run`"
}
