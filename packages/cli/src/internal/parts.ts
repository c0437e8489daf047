/** All elections of one name: its own, those of its slots, and those of its shards. */
import { LeaderElection, Shards, Slots } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import { type SelectedElection, transact } from "./selectedElection.ts"

/** One of them: `election`, `slot 3` or `shard 7`. */
export interface Part {
  readonly title: string
  readonly election: LeaderElection.LeaderElection
}

/** The greatest numbers of slots and shards. */
export const most = { slots: Slots.maxCount, shards: Shards.maxCount } as const

const counter = /^(slot|shard) (0|[1-9]\d{0,4})$/

const slotsOf = ({ name }: SelectedElection, count: number): ReadonlyArray<Part> =>
  LeaderElection.slots(name.subspace, count).elections.map((election, slot) => ({ title: `slot ${slot}`, election }))

const shardOf = ({ name }: SelectedElection, shard: number): Part => {
  const { subspaceOf } = LeaderElection.shards(name.subspace, { shards: shard + 1 })
  return { title: `shard ${shard}`, election: LeaderElection.make(subspaceOf(shard)) }
}

const shardsOf = (selected: SelectedElection, count: number): ReadonlyArray<Part> =>
  Array.from({ length: count }, (_, shard) => shardOf(selected, shard))

/** So many slots or shards, whether they exist or not. */
export const counted = (
  selected: SelectedElection,
  { shards = 0, slots = 0 }: { readonly slots?: number | undefined; readonly shards?: number | undefined }
): ReadonlyArray<Part> => [...slotsOf(selected, slots), ...shardsOf(selected, shards)]

/** The part of that title. */
export const named = (selected: SelectedElection, title: string): Part | undefined => {
  if (title === "election") return { title, election: selected.election }
  if (selected.slot !== undefined) return undefined
  const [, kind, index] = counter.exec(title) ?? []
  if (kind === "slot") return slotsOf(selected, Slots.maxCount)[Number(index)]
  return kind === "shard" && Number(index) < Shards.maxCount ? shardOf(selected, Number(index)) : undefined
}

/** Those that may exist: of the shards, as many as the table has. */
export const all = (selected: SelectedElection) =>
  selected.slot === undefined
    ? Effect.map(transact(Shards.readState(selected.name.subspace)), ({ shards }): ReadonlyArray<Part> => [
      { title: "election", election: selected.election },
      ...counted(selected, { slots: Slots.maxCount, shards: shards.length })
    ])
    : Effect.succeed<ReadonlyArray<Part>>([{ title: "election", election: selected.election }])
