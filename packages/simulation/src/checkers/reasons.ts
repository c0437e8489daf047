/** What is told of a loss is so. */
import type { Checker, Violation } from "../Checker.ts"
import { type Entry, invalid, type State } from "../internal/ledger.ts"

/** What has to have been stored since the claim, for each reason that the database gives. */
const grounds: {
  readonly [reason in string]?: (state: State, term: bigint, id: string, registration: string) => boolean
} = {
  Replaced: ({ leader }, term, _, registration) =>
    typeof leader !== "object" || !leader.held || leader.term !== term || leader.who.registration !== registration,
  Evicted: ({ candidates }, _, id) => candidates.get(id) === undefined,
  Superseded: ({ candidates }, _, id, registration) => {
    const candidate = candidates.get(id)
    return typeof candidate === "object" && candidate.registration !== registration
  },
  Preempted: ({ challenge }, term) =>
    typeof challenge === "object" && challenge.term === term && challenge.challenger !== undefined,
  StepDownRequested: ({ challenge }, term) =>
    typeof challenge === "object" && challenge.term === term && challenge.challenger === undefined,
  Disabled: ({ config }) => typeof config === "object" && !config.enabled,
  Broken: ({ candidates, challenge, config, leader, lease }) =>
    [config, leader, lease, challenge, ...candidates.values()].includes(invalid)
}

const isClaimOf = ({ after, before, commit }: Entry, who: string, term: bigint): boolean =>
  commit.by === who && before.leader !== after.leader && typeof after.leader === "object" && after.leader.held &&
  after.leader.term === term

export const checker: Checker = {
  name: "reasons",
  promise: "a leadership that is lost by what is stored is lost for what was stored",
  check: ({ history, ledger }) => {
    const violations: Array<Violation> = []
    for (const { at, details, what, who } of history.events) {
      if (what !== "lost") continue
      const holds = grounds[String(details["reason"])]
      if (holds === undefined) continue
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
        message: `${who} loses term ${term} as ${String(details["reason"])}, and nothing that was stored says so`
      })
    }
    return violations
  }
}
