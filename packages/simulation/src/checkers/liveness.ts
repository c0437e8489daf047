import * as Checker from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import { beliefs } from "../internal/beliefs.ts"

export const liveness = Checker.make(
  "liveness",
  "a process leads within two leases and ten seconds after the last fault; later, no time without a leader is longer than that",
  function*(analysis) {
    const { history: { endedAt, events, quietAt, scenario }, processes } = analysis
    if (events.some(({ what }) => what === "livelock")) {
      return yield [endedAt, undefined, "a fiber spins: simulated time does not advance"]
    }
    for (const { at, details: { reason = "" }, what, who } of events) {
      if (what === "exits" && !/^[\w-]+$/.test(reason)) yield [at, who, `${who} ends by a defect: ${reason}`]
    }
    let lease = 0
    for (const { after } of analysis.ledger) {
      if (typeof after.lease === "object") lease = Math.max(lease, Number(after.lease.duration))
    }
    // A dead leader's lease, and as much for what a follower was just waiting for; and a restart, which takes seconds.
    const longest = 2 * lease + 10 * second
    let reached = quietAt
    for (const { from, to } of beliefs(analysis)) {
      if (to > reached && from <= reached + longest) reached = to
    }
    if (endedAt <= reached + longest) return
    // A process that cannot lead, for its clock or its margin, ends at once whenever it is started. It cannot fill a slot either.
    const { as, count = 1 } = scenario.elections ?? {}
    const stays = (at: number) => [...processes.values()].filter(({ born, died }) => born < at - second && died > at)
    if (as === "slots" && stays(reached + longest).length < count) return
    const waited = ((endedAt - reached) / second).toFixed(1)
    yield [reached, undefined, `no process leads for ${waited} s without faults`]
  }
)
