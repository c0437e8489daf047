import * as Checker from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import type { Analysis, ProcessRun } from "../internal/analysis.ts"

/** What may disturb a leader, besides faults with a duration. What is about another election is not among the events. */
const disturbance =
  /^(fault|crashes|stops|exits|starts|campaign-ends|configures|disables|enables|spoils|repairs|evicts|forges|usurps)$/

/** The reasons that a leader finds by itself. For the others see the checker `reasons`. */
const own = /^(expired|clock-jumped)$/

/** The time without anything that concerns an election after which its leader is undisturbed, in nanoseconds. */
const settled = ({ history: { scenario }, ledger }: Analysis): number => {
  const leases = ledger.map(({ after: { lease } }) => typeof lease === "object" ? Number(lease.duration) : 0)
  return leases.reduce((a, b) => Math.max(a, b), scenario.config.lease * second) + 5 * second
}

/** The shortest time between two renewals that are late, in heartbeats: a usual one, one that was tried twice, and their jitter. */
const late = 1.6

const renewalsOf = ({ events }: ProcessRun) =>
  events.filter(({ what }) => what === "elected" || what === "renewed" || what === "lost")

export const apart = Checker.make(
  "apart",
  "what is done to one election costs no other its tenure, nor a renewal its time",
  function*(analysis) {
    const { election, faults, history: { events }, ledger, processes } = analysis
    if (election.name === undefined) return
    const long = settled(analysis)
    const disturbed = events.filter(({ what }) => disturbance.test(what))
    const isQuiet = (at: number) =>
      !faults.some(({ from, to }) => from < at && to > at - long) &&
      !disturbed.some((event) => event.at <= at && event.at > at - long)
    for (const process of processes.values()) {
      let last: number | undefined
      for (const { at, details: { reason, term }, what } of renewalsOf(process)) {
        if (what === "lost") {
          last = undefined
          if (own.test(reason!) && isQuiet(at)) {
            yield [at, process.name, `${process.name} loses term ${term} as ${reason}, though nothing was done to it`]
          }
          continue
        }
        const config = ledger.findLast(({ commit }) => commit.at <= at)?.after.config
        const heartbeat = typeof config === "object" ? Number(config.heartbeat) : Number.POSITIVE_INFINITY
        if (what === "renewed" && last !== undefined && at - last > late * heartbeat && isQuiet(at)) {
          const took = ((at - last) / second).toFixed(3)
          yield [at, process.name, `${process.name} renews term ${term} after ${took} s, though nothing was done to it`]
        }
        last = at
      }
    }
  }
)
