/** All that has one name: its election, its slots and its shards, as JSON. */
import { NotInitialized } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import * as ElectionStatus from "./ElectionStatus.ts"
import type { SelectedElection } from "./SelectedElection.ts"
import * as ShardStatus from "./ShardStatus.ts"
import * as SlotStatus from "./SlotStatus.ts"

/**
 * Reads what there is of it. Fails with `NotInitialized` if there is nothing.
 *
 * @since 0.1.0
 * @category operations
 */
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

/**
 * See {@link read}.
 *
 * @since 0.1.0
 * @category models
 */
export type FullStatus = Effect.Success<ReturnType<typeof read>>

/**
 * The status as JSON.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJson = (selected: SelectedElection, { election, shards, slots }: FullStatus) => ({
  ...(election === undefined ? { election: selected.name.text } : ElectionStatus.toJson(selected, election)),
  ...(slots === undefined ? {} : SlotStatus.toJson(slots)),
  ...(shards === undefined ? {} : ShardStatus.toJson(shards))
})

/**
 * The part of the JSON that heartbeats and renewals do not change.
 *
 * @since 0.1.0
 * @category encoding
 */
export const lasting = (selected: SelectedElection, { election, shards, slots }: FullStatus) => ({
  ...(election === undefined ? { election: selected.name.text } : ElectionStatus.lasting(selected, election)),
  ...(slots === undefined ? {} : SlotStatus.lasting(slots)),
  ...(shards === undefined ? {} : ShardStatus.lasting(shards))
})
