import * as Checker from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import { beliefs } from "../internal/beliefs.ts"

/**
 * How long it may take, in nanoseconds, for the longest lease that was in force: a dead leader's lease, and as much again for
 * what a follower was just waiting for; and processes that are started again within seconds.
 */
const bound = (longestLease: number): number => 2 * longestLease + 10 * second

export const liveness = Checker.make(
  "liveness",
  "a process leads within two leases and ten seconds after the last fault; later, no time without a leader is longer than that",
  function*(analysis) {
    const { endedAt, events, quietAt } = analysis.history
    if (events.some(({ what }) => what === "livelock")) {
      return yield [endedAt, undefined, "a fiber spins: simulated time does not advance"]
    }
    let lease = 0
    for (const { after } of analysis.ledger) {
      if (typeof after.lease === "object") lease = Math.max(lease, Number(after.lease.duration))
    }
    const longest = bound(lease)
    let reached = quietAt
    for (const { from, to } of beliefs(analysis)) {
      if (to > reached && from <= reached + longest) reached = to
    }
    if (endedAt <= reached + longest) return
    const waited = ((endedAt - reached) / second).toFixed(1)
    yield [reached, undefined, `no process leads for ${waited} s without faults`]
  }
)
