/** Where the elections of slots stand, and how many there may be. */
import type { Subspace } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import { InvalidConfig } from "../../ElectionError.ts"

/** Who waits follows all of them. */
export const mostSlots = 100

/** Fails with `InvalidConfig` unless there may be so many slots. */
export const validateCount = (count: number): Effect.Effect<void, InvalidConfig> =>
  isCount(count)
    ? Effect.void
    : Effect.fail(
      new InvalidConfig({
        field: "slots",
        problem: `are ${count}; give an integer from 1 to ${mostSlots}`
      })
    )

/** Whether there may be so many slots. */
export const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1 && count <= mostSlots

/** The subspace of the election of a slot. */
export const slotSubspace = (subspace: Subspace.Subspace, slot: number): Subspace.Subspace =>
  subspace.subspace(["slots", String(slot)])
