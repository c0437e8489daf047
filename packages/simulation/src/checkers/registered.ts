/** Leaders are registered. */
import type { Checker, Violation } from "../Checker.ts"
import { invalid } from "../internal/ledger.ts"

export const checker: Checker = {
  name: "registered",
  promise: "whoever claims or renews is registered as it says, and nobody who leads is evicted",
  check: ({ ledger, owners }) => {
    const violations: Array<Violation> = []
    for (const { after, before, candidates, commit, written } of ledger) {
      const fail = (message: string) =>
        violations.push({ checker: "registered", at: commit.at, who: commit.by, message })
      const leads = after.leader !== undefined && after.leader !== invalid && after.leader.held
        ? after.leader.who
        : undefined
      if (leads === undefined) continue
      const candidate = after.candidates.get(leads.id)
      const was = before.candidates.get(leads.id)
      if (commit.by === "operator") {
        const itself = typeof was === "object" && was.registration === leads.registration
        if (candidates.has(leads.id) && candidate === undefined && itself) {
          fail(`"${leads.id}" is evicted while it leads`)
        }
      } else if (
        candidates.has(leads.id) && candidate === undefined && typeof was === "object" &&
        was.registration === leads.registration && owners.get(leads.registration) === commit.by
      ) {
        fail(`"${leads.id}" leaves while it leads`)
      } else if (written.has("lease") || written.has("leader")) {
        // Before the commit: a claim or a renewal writes the candidate's record as well.
        if (typeof was !== "object" || was.registration !== leads.registration) {
          fail(`"${leads.id}" leads without being registered`)
        }
      }
    }
    return violations
  }
}
