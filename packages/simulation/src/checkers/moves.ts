import * as Checker from "../Checker.ts"
import { claimOf } from "../internal/ledger.ts"
import { balancing, makeIsSettled } from "../internal/settled.ts"

export const moves = Checker.makeForAll(
  "moves",
  "no shard moves while no process joins, leaves or changes its weight, and nothing is done to its leader",
  "shards",
  function*(elections) {
    const [coordinator, ...shards] = elections
    if (coordinator === undefined) return
    const time = balancing(elections)
    // What is done to a candidacy in the coordinator's election is done to the process.
    const isSettledElsewhere = makeIsSettled(coordinator, time)
    for (const analysis of shards) {
      const isSettled = makeIsSettled(analysis, time)
      let last: string | undefined
      for (const entry of analysis.ledger) {
        if (claimOf(entry) === undefined) continue
        const { at, by } = entry.commit
        if (last !== undefined && last !== by && isSettled(at) && isSettledElsewhere(at)) {
          yield [at, by, `${analysis.election.name} moves from ${last} to ${by}, though nothing has changed`]
        }
        last = by
      }
    }
  }
)
