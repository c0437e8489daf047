/** Nobody deposes a leader, or takes its place, who could not lead. */
import type { Checker, Violation } from "../Checker.ts"

export const checker: Checker = {
  name: "able",
  promise: "whoever challenges or claims could lead: its margin is below the lease in force",
  check: ({ ledger, processes }) => {
    const violations: Array<Violation> = []
    for (const { after, before, commit, written } of ledger) {
      const margin = processes.get(commit.by)?.margin
      if (margin === undefined || typeof before.config !== "object" || margin < Number(before.config.lease)) continue
      const challenges = written.has("challenge") && typeof after.challenge === "object"
      const claims = before.leader !== after.leader && typeof after.leader === "object" && after.leader.held
      if (!challenges && !claims) continue
      violations.push({
        checker: "able",
        at: commit.at,
        who: commit.by,
        message: `${commit.by} ${challenges ? "challenges" : "claims"}, though its margin does not fit the lease`
      })
    }
    return violations
  }
}
