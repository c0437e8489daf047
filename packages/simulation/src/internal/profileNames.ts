/** The kinds of histories. */
export const descriptions = {
  calm: "no faults: leaders resign, or are asked to step down",
  clocks: "wall clocks that are off and jump, monotonic clocks that drift and stand still",
  pauses: "processes that freeze, stall, crash and come back",
  network: "slow and cut links, conflicts, unknown and late commits, lost watches",
  late: "tenures that end while answers and commits come late: fading links, resignations, preemption",
  outages: "the whole database away, and back at a version far ahead",
  operators: "configurations that change, elections disabled, eviction, forged challenges, doubles, garbage in records",
  changes: "an operator's changes that meet unknown results, cut-offs, elections and renewals in their batch",
  deployments: "rolling restarts, priorities that change, preemption, crashes",
  appointments: "tenures that end by resignation, and all that may happen to the appointed successor",
  witnesses: "processes that crash, alone or with their machine, whose witnesses are told, late, or never",
  everything: "all of it at once",
  many: "several elections of the same processes: all of it, or nothing but what strikes one of them",
  slots: "an election with several slots: the same",
  shards: "twelve shards of the same processes, whose weights change: the same"
}

export type Name = keyof typeof descriptions

export const names = Object.keys(descriptions) as ReadonlyArray<Name>
