import * as Checker from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import { longestLease, makeIsSettled } from "../internal/settled.ts"

/** The shortest time between two renewals that is too long, in usual ones: for their jitter, and for one that was tried twice. */
const late = 1.6

/** The share of the lease in which a leader whose claim was slow does not renew, so that others can write. */
const resting = 0.3

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
      let usual = 0
      for (const { at, details: { reason, term }, what } of events) {
        if (what === "lost") {
          last = undefined
          if (reason === "expired" && isSettled(at)) {
            yield [at, name, `${name} loses term ${term} as ${reason}, though nothing was done to it`]
          }
        } else if (what === "elected" || what === "renewed") {
          const config = ledger.findLast(({ commit }) => commit.at <= at)?.after.config
          if (typeof config === "object") {
            usual = Math.max(usual, Number(config.heartbeat), resting * Number(config.lease))
          }
          if (what === "renewed" && last !== undefined && at - last > late * usual && isSettled(at)) {
            const took = ((at - last) / second).toFixed(3)
            yield [at, name, `${name} renews term ${term} after ${took} s, though nothing was done to it`]
          }
          last = at
        }
      }
    }
  }
)
