/**
 * Where the records of shards stand. The coordinator election and each shard's election have a subspace of their own. A shard is
 * counted in text there, for an election is named by the texts of its subspace.
 */
import type { Subspace } from "@effect-fdb/core"
import * as ElectionKeys from "../storage/keys.ts"

export interface ShardKeys {
  readonly name: string
  readonly coordinator: Subspace.Subspace
  readonly coordinatorKeys: ElectionKeys.ElectionKeys
  /** The subspace of a shard's election. */
  readonly shard: (shard: number) => Subspace.Subspace
  /** What the coordinator has written last, and of what size; members watch it. */
  readonly table: Uint8Array
  readonly pages: Subspace.Subspace
  readonly page: (page: number) => Uint8Array
  readonly members: Subspace.Subspace
  readonly member: (id: string) => Uint8Array
  /** Counts who joined, left or changed its weight; the coordinator watches it. */
  readonly changes: Uint8Array
}

export const make = (subspace: Subspace.Subspace): ShardKeys => {
  const coordinator = subspace.subspace(["coordinator"])
  const shards = subspace.subspace(["shards"])
  const pages = subspace.subspace(["table"])
  const members = subspace.subspace(["members"])
  return {
    name: ElectionKeys.make(subspace).name,
    coordinator,
    coordinatorKeys: ElectionKeys.make(coordinator),
    shard: (shard) => shards.subspace([String(shard)]),
    table: pages.prefix,
    pages,
    page: (page) => pages.pack([page]),
    members,
    member: (id) => members.pack([id]),
    changes: subspace.pack(["changes"])
  }
}
