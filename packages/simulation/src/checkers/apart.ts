import * as Checker from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import { longestLease, makeIsSettled } from "../internal/settled.ts"

/** The shortest time between two renewals that is too long, in heartbeats: a usual one, one that was tried twice, and their jitter. */
const late = 1.6

export const apart = Checker.make(
  "apart",
  "what is done to one election costs no other its tenure, nor a renewal its time",
  function*(analysis) {
    const { election, ledger, processes } = analysis
    if (election.name === undefined) return
    const isSettled = makeIsSettled(analysis, longestLease([analysis]) + 5 * second)
    for (const { events, name } of processes.values()) {
      let last: number | undefined
      // A leader need not know at once that it is shorter now.
      let heartbeat = 0
      for (const { at, details: { reason, term }, what } of events) {
        if (what === "lost") {
          last = undefined
          if (reason === "expired" && isSettled(at)) {
            yield [at, name, `${name} loses term ${term} as ${reason}, though nothing was done to it`]
          }
        } else if (what === "elected" || what === "renewed") {
          const config = ledger.findLast(({ commit }) => commit.at <= at)?.after.config
          heartbeat = Math.max(heartbeat, typeof config === "object" ? Number(config.heartbeat) : 0)
          if (what === "renewed" && last !== undefined && at - last > late * heartbeat && isSettled(at)) {
            const took = ((at - last) / second).toFixed(3)
            yield [at, name, `${name} renews term ${term} after ${took} s, though nothing was done to it`]
          }
          last = at
        }
      }
    }
  }
)
