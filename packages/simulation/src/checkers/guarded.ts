/** No guarded write of an ended tenure commits. */
import type { Checker, Violation } from "../Checker.ts"
import { counted } from "../internal/counter.ts"
import { invalid, type State } from "../internal/ledger.ts"

export const checker: Checker = {
  name: "guarded",
  promise: "a guarded write commits only while the tenure stands that it was made in",
  check: ({ history, ledger, owners }) => {
    const violations: Array<Violation> = []
    let leader: State["leader"]
    let next = 0
    for (const commit of history.record) {
      const count = counted(commit)
      if (count !== undefined) {
        const stands = leader !== undefined && leader !== invalid && leader.held && leader.term === count.term &&
          owners.get(leader.who.registration) === count.by
        if (!stands) {
          violations.push({
            checker: "guarded",
            at: commit.at,
            who: count.by,
            message: `${count.by} writes for term ${count.term}, which does not stand any more`
          })
        }
      }
      if (ledger[next]?.commit === commit) leader = ledger[next++]!.after.leader
    }
    return violations
  }
}
