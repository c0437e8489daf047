/** The elections of a scenario, and the part of a history that is about one of them. Each is judged by itself. */
import { Subspace } from "@effect-fdb/core"
import type { History } from "../History.ts"
import type { Scenario } from "../Scenario.ts"

const make = (name: string | undefined, subspace: Subspace.Subspace, table?: Uint8Array) => {
  const own = name === undefined ? [] : [name]
  return {
    /** As the library names it; the only one of a scenario has none. The events that are about it tell it. */
    name,
    subspace,
    /** The counter that its leaders increment under guard. Its value also has the last process, its term and its step. */
    counter: Subspace.fromTuple(["simulation", "counter", ...own]).prefix,
    /** The journal of steps of its leaders under guard, one key for each step. */
    journal: Subspace.fromTuple(["simulation", "journal", ...own]),
    /** The head of the table of shards, which the leader of the coordinator's election writes under guard. */
    table
  }
}

export type Election = ReturnType<typeof make>

/** The only one of a scenario. */
export const only = make(undefined, Subspace.fromTuple(["simulation", "election"]))

const named = (...path: ReadonlyArray<string>) =>
  make(`simulation/${path.join("/")}`, Subspace.fromTuple(["simulation", ...path]))

const coordinator = make(
  "simulation/shards/coordinator",
  Subspace.fromTuple(["simulation", "shards", "coordinator"]),
  Subspace.fromTuple(["simulation", "shards"]).pack(["table"])
)

/** Those of slots, and of shards, are where the library has them; of shards, the coordinator's is the first. */
export const electionsOf = ({ elections }: Scenario): ReadonlyArray<Election> => {
  if (elections === undefined) return [only]
  const { as, count } = elections
  const path = as === "elections" ? [as] : [as, as]
  const counted = Array.from({ length: count }, (_, index) => named(...path, String(index)))
  return as === "shards" ? [coordinator, ...counted] : counted
}

/** What a history tells of one of its elections: its events and those that are about none, and what is stored for it. */
export const historyOf = (history: History, { counter, journal, name, subspace, table }: Election): History => {
  if (name === undefined) return history
  const places = [subspace, Subspace.make(counter), journal, ...table === undefined ? [] : [Subspace.make(table)]]
  const isOwn = (key: Uint8Array): boolean => places.some((place) => place.contains(key))
  return {
    ...history,
    events: history.events.filter(({ details: { election } }) => election === undefined || election === name),
    record: history.record.flatMap((commit) => {
      const mutations = commit.mutations.filter((mutation) =>
        isOwn(mutation._tag === "ClearRange" ? mutation.begin : mutation.key)
      )
      return mutations.length === 0 ? [] : [{ ...commit, mutations }]
    }),
    stored: history.stored.filter(({ key }) => isOwn(key))
  }
}
