import type { LossReason } from "@effect-fdb/leader-election"
import * as Checker from "../Checker.ts"
import { millisecond, second } from "../EventScheduler.ts"
import { type ProcessRun, shownAt } from "../internal/analysis.ts"
import { beginningOf, holderOf, invalid, type State } from "../internal/ledger.ts"

/** The condition on the stored records since the claim, for each reason. The leader finds the other reasons by itself. */
const grounds: {
  readonly [reason in LossReason]:
    | undefined
    | ((state: State, term: bigint, id: string, registration: string) => boolean)
} = {
  resigned: undefined,
  expired: undefined,
  "clock-jumped": undefined,
  replaced: (state, term, _, registration) =>
    holderOf(state)?.term !== term || holderOf(state)?.who.registration !== registration,
  evicted: ({ candidates }, _, id) => candidates.get(id) === undefined,
  superseded: ({ candidates }, _, id, registration) => {
    const candidate = candidates.get(id)
    return typeof candidate === "object" && candidate.registration !== registration
  },
  preempted: ({ challenge }, term) =>
    typeof challenge === "object" && challenge.term === term && challenge.challenger !== undefined,
  "stepped-down": ({ challenge }, term) =>
    typeof challenge === "object" && challenge.term === term && challenge.challenger === undefined,
  disabled: ({ config }) => typeof config === "object" && !config.enabled,
  broken: ({ candidates, challenge, config, leader, lease }) =>
    [config, leader, lease, challenge, ...candidates.values()].includes(invalid)
}

/** The time by which a belief may end earlier because its clocks disagree, in nanoseconds. */
const tolerance = 20 * millisecond

/** The reasons that may end before the belief does. They count only when it is over. */
const transient: ReadonlySet<LossReason> = new Set(["disabled", "broken"])

/** The rest of the belief of a process by its monotonic clock, in nanoseconds. */
const leftOf = (process: ProcessRun, at: number): number => {
  const before = process.events.filter((event) => event.at <= at)
  const last = before.findLast(({ what }) => what === "elected" || what === "renewed")
  const until = before.filter((event) => event === last || (event.what === "shortened" && event.at >= (last?.at ?? 0)))
  return Math.min(...until.map(({ details }) => details.until!)) - shownAt(process, "monotonic", at)
}

export const reasons = Checker.make(
  "reasons",
  "a leadership that is lost because of a stored record is lost for the reason that the record gives, and not early if the record may change back",
  function*({ history, ledger, processes }) {
    for (const { at, details, what, who } of history.events) {
      const { term = 0n } = details
      const reason = details.reason as LossReason
      const holds = grounds[reason]
      const process = processes.get(who)
      if (what !== "lost" || holds === undefined || process === undefined) continue
      // A replaced database answers with errors.
      const isReplaced = process.events.some((event) => event.details.kind === "replace" && event.at <= at)
      if (reason === "broken" && isReplaced) continue
      if (transient.has(reason) && leftOf(process, at) > tolerance) {
        const left = (leftOf(process, at) / second).toFixed(3)
        yield [at, who, `${who} loses its tenure as ${reason} ${left} s before its belief is over`]
      }
      const claim = ledger.findIndex((entry) => beginningOf(entry)?.term === term)
      const leader = ledger[claim] && beginningOf(ledger[claim])
      if (leader === undefined) continue
      const { id, registration } = leader.who
      const since = ledger.slice(claim).filter(({ commit }) => commit.at <= at)
      if (since.some(({ after }) => holds(after, term, id, registration))) continue
      yield [at, who, `${who} loses term ${term} as ${reason}, but no stored record says so`]
    }
  }
)
