/** Once faults stop, somebody leads, and goes on. */
import type { Checker, Violation } from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import { beliefs } from "../internal/beliefs.ts"
import { invalid } from "../internal/ledger.ts"

/**
 * How long it may take, in nanoseconds, for the longest lease that was in force: a dead leader's lease, and as much again for
 * what a follower was just waiting for; and processes that are started again within seconds.
 */
const bound = (longestLease: number): number => 2 * longestLease + 10 * second

export const checker: Checker = {
  name: "liveness",
  promise:
    "within two leases and ten seconds of the last fault somebody leads, and from then on always does but for such a time",
  check: (analysis) => {
    const { endedAt, events, quietAt } = analysis.history
    const fail = (at: number, message: string): Violation => ({ checker: "liveness", at, message })
    if (events.some(({ what }) => what === "livelock")) return [fail(endedAt, "somebody spins, and time stands still")]
    let lease = 0
    for (const { after } of analysis.ledger) {
      if (after.lease !== undefined && after.lease !== invalid) lease = Math.max(lease, Number(after.lease.duration))
    }
    const longest = bound(lease)
    let reached = quietAt
    for (const { from, to } of beliefs(analysis).toSorted((a, b) => a.from - b.from)) {
      if (to <= reached) continue
      if (from > reached + longest) break
      reached = to
    }
    return endedAt <= reached + longest
      ? []
      : [
        fail(
          reached,
          `nobody leads for ${((endedAt - reached) / second).toFixed(1)} s, though nothing is wrong any more`
        )
      ]
  }
}
