/** What is told of a loss is so. */
import { LossReason } from "@effect-fdb/leader-election"
import * as Schema from "effect/Schema"
import type { Checker, Violation } from "../Checker.ts"
import { millisecond, second } from "../EventScheduler.ts"
import { monotonicAt, type ProcessRun } from "../internal/analysis.ts"
import { type Entry, invalid, type State } from "../internal/ledger.ts"

/** What has to have been stored since the claim, for each reason; nothing for those that the leader finds by itself. */
const grounds: {
  readonly [reason in LossReason]:
    | undefined
    | ((state: State, term: bigint, id: string, registration: string) => boolean)
} = {
  resigned: undefined,
  expired: undefined,
  "clock-jumped": undefined,
  replaced: ({ leader }, term, _, registration) =>
    typeof leader !== "object" || !leader.held || leader.term !== term || leader.who.registration !== registration,
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

/** By how much earlier a belief may end where its two clocks do not agree, in nanoseconds. */
const tolerance = 20 * millisecond

/** What may pass before the belief is over, and is no reason until then. */
const passing: ReadonlySet<LossReason> = new Set(["disabled", "broken"])

/** Whether the database that a process has open was replaced. */
const isCutOff = ({ events }: ProcessRun, at: number): boolean =>
  events.some((event) => event.what === "fault" && event.details["kind"] === "replace" && event.at <= at)

/** For how long a process's belief would have gone on by its monotonic clock, in nanoseconds. */
const left = (process: ProcessRun, at: number): number => {
  const last = process.events.findLast((event) =>
    event.at <= at && (event.what === "elected" || event.what === "renewed")
  )
  const until = process.events
    .filter((event) => event === last || (event.what === "shortened" && event.at >= (last?.at ?? 0) && event.at <= at))
    .map(({ details }) => Number(details["until"]))
  return Math.min(...until) - monotonicAt(process, at)
}

const isClaimOf = ({ after, before, commit }: Entry, who: string, term: bigint): boolean =>
  commit.by === who && before.leader !== after.leader && typeof after.leader === "object" && after.leader.held &&
  after.leader.term === term

export const checker: Checker = {
  name: "reasons",
  promise:
    "a leadership that is lost by what is stored is lost for what was stored, and not before its time if that may pass",
  check: ({ history, ledger, processes }) => {
    const violations: Array<Violation> = []
    for (const { at, details, what, who } of history.events) {
      if (what !== "lost") continue
      const reason = Schema.decodeUnknownSync(LossReason)(details["reason"])
      const holds = grounds[reason]
      const process = processes.get(who)
      if (holds === undefined || process === undefined || (reason === "broken" && isCutOff(process, at))) continue
      if (passing.has(reason) && left(process, at) > tolerance) {
        violations.push({
          checker: "reasons",
          at,
          who,
          message: `${who} loses its tenure as ${reason} ${
            (left(process, at) / second).toFixed(3)
          } s before its belief is over`
        })
      }
      const term = BigInt(String(details["term"]))
      const claim = ledger.findIndex((entry) => isClaimOf(entry, who, term))
      const leader = ledger[claim]?.after.leader
      if (typeof leader !== "object" || !leader.held) continue
      const { id, registration } = leader.who
      let founded = false
      for (let index = claim; index < ledger.length && ledger[index]!.commit.at <= at && !founded; index++) {
        founded = holds(ledger[index]!.after, term, id, registration)
      }
      if (founded) continue
      violations.push({
        checker: "reasons",
        at,
        who,
        message: `${who} loses term ${term} as ${reason}, and nothing that was stored says so`
      })
    }
    return violations
  }
}
