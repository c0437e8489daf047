import * as Checker from "../Checker.ts"
import { claimOf } from "../internal/ledger.ts"

export const able = Checker.make(
  "able",
  "a process that challenges or claims can lead: its margin is below the lease in force",
  function*({ ledger, processes }) {
    for (const entry of ledger) {
      const { after: { challenge }, before: { config }, commit: { at, by }, written } = entry
      const margin = processes.get(by)?.margin
      if (margin === undefined || typeof config !== "object" || margin < Number(config.lease)) continue
      const challenges = written.has("challenge") && typeof challenge === "object"
      if (!challenges && claimOf(entry) === undefined) continue
      yield [at, by, `${by} ${challenges ? "challenges" : "claims"}, though its margin is not below the lease`]
    }
  }
)
