/** When nothing disturbs an election, or all of them. */
import { second } from "../EventScheduler.ts"
import type { Analysis } from "./analysis.ts"

/** What disturbs a process or an election, besides faults with a duration. */
const disturbance =
  /^(fault|starts|crashes|stops|exits|campaign-ends|prioritizes|asked-to-resign|asks-to-step-down|resigns-late|configures|disables|enables|spoils|repairs|evicts|raises-terms|forges|usurps)$/

/** The longest lease of some elections, in nanoseconds. */
export const longestLease = (elections: ReadonlyArray<Analysis>): number =>
  elections.flatMap(({ history: { scenario }, ledger }) => [
    scenario.config.lease * second,
    ...ledger.map(({ after: { lease } }) => typeof lease === "object" ? Number(lease.duration) : 0)
  ]).reduce((a, b) => Math.max(a, b))

/** The time after the last disturbance in which shards are balanced: the leases of who has died, and of the coordinator. */
export const balancing = (elections: ReadonlyArray<Analysis>): number => 3 * longestLease(elections) + 10 * second

/** Whether nothing has disturbed an election for a time before an instant; what is about others is not among its events. */
export const makeIsSettled = ({ faults, history: { events } }: Analysis, time: number) => {
  const disturbed = events.filter(({ details, what }) => disturbance.test(what) || details.reason === "clock-jumped")
  return (at: number): boolean =>
    !faults.some(({ from, to }) => from < at && to > at - time) &&
    !disturbed.some((event) => event.at <= at && event.at > at - time)
}
