/** All that has one name: its election, its slots and its shards, as text and as JSON. */
import { NotInitialized } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import * as ElectionStatus from "./electionStatus.ts"
import type { SelectedElection } from "./selectedElection.ts"
import * as ShardStatus from "./shardStatus.ts"
import * as SlotStatus from "./slotStatus.ts"

/** Reads what there is of it. Fails with `NotInitialized` if there is nothing. */
export const read = Effect.fnUntraced(function*(selected: SelectedElection) {
  const slots = yield* SlotStatus.read(selected)
  const shards = yield* ShardStatus.read(selected)
  const hasSlots = slots.slots.length > 0
  const election = yield* ElectionStatus.read(selected).pipe(
    Effect.catchIf(
      (error) => (hasSlots || shards !== undefined) && error instanceof NotInitialized,
      () => Effect.undefined
    )
  )
  return { election, slots: hasSlots ? slots : undefined, shards }
})

export type FullStatus = Effect.Success<ReturnType<typeof read>>

export const toJson = (selected: SelectedElection, { election, shards, slots }: FullStatus) => ({
  ...(election === undefined ? { election: selected.name.text } : ElectionStatus.toJson(selected, election)),
  ...(slots === undefined ? {} : SlotStatus.toJson(slots)),
  ...(shards === undefined ? {} : ShardStatus.toJson(shards))
})

/** The part of the status that heartbeats and renewals do not change. */
export const lasting = (selected: SelectedElection, { election, shards, slots }: FullStatus) => ({
  ...(election === undefined ? { election: selected.name.text } : ElectionStatus.lasting(selected, election)),
  ...(slots === undefined ? {} : SlotStatus.lasting(slots)),
  ...(shards === undefined ? {} : ShardStatus.lasting(shards))
})

export const toLines = (
  selected: SelectedElection,
  { election, shards, slots }: FullStatus
): ElectionStatus.StatusLines =>
  ElectionStatus.linesOf(
    selected,
    [
      ...(election === undefined ? [] : ElectionStatus.facts(election)),
      ...(slots === undefined ? [] : SlotStatus.facts(slots)),
      ...(shards === undefined ? [] : ShardStatus.facts(shards))
    ],
    [
      ...(election === undefined ? [] : ElectionStatus.candidateLines(election).map((line) => `  ${line}`)),
      ...(slots === undefined ? [] : SlotStatus.details(slots)),
      ...(shards === undefined ? [] : ShardStatus.details(shards))
    ]
  )
