import * as Checker from "../Checker.ts"
import { weightOf } from "../Host.ts"
import type { Analysis } from "../internal/analysis.ts"
import { beliefs } from "../internal/beliefs.ts"
import { balancing, makeIsSettled } from "../internal/settled.ts"

/** Below this a fraction of a shard is an error of the arithmetic. */
const resolution = 1e-9

export const balance = Checker.makeForAll(
  "balance",
  "within three leases and ten seconds after the last fault, each process leads its weighted mean of the shards, rounded up or down",
  "shards",
  function*(elections) {
    const [coordinator, ...shards] = elections
    if (coordinator === undefined) return
    const { history: { endedAt, quietAt }, processes } = coordinator
    const time = balancing(elections)
    const spans = shards.flatMap(beliefs)
    const isSettled = elections.map((analysis) => makeIsSettled(analysis, time))
    // Where an operator has forbidden preemption, a standby that has taken over leads on though the owner is back.
    const isForbidden = ({ ledger }: Analysis, at: number): boolean => {
      const config = ledger.findLast(({ commit }) => commit.at <= at)?.after.config
      return typeof config === "object" && !config.preemption
    }
    for (const at of [quietAt + time, endedAt - 1]) {
      if (at >= endedAt || !isSettled.every((isSettled) => isSettled(at))) continue
      if (shards.some((shard) => isForbidden(shard, at))) continue
      const members = [...processes.values()].filter(({ born, died }) => born < at && died > at).map(
        ({ events, name }) => {
          const told = events.findLast((event) => event.at < at && /^(starts|prioritizes)$/.test(event.what))
          const led = spans.filter(({ from, to, who }) => who === name && from <= at && to > at).length
          return { name, led, weight: weightOf(name.split("#")[0]!, Number(told?.details["priority"] ?? 0)) }
        }
      )
      const total = members.reduce((sum, { weight }) => sum + weight, 0)
      for (const { led, name, weight } of members) {
        const mean = shards.length * weight / total
        if (led >= Math.floor(mean + resolution) && led <= Math.ceil(mean - resolution)) continue
        yield [at, name, `${name} leads ${led} shards, and not ${mean.toFixed(2)}`]
      }
    }
  }
)
