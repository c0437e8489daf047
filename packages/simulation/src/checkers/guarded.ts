/** No guarded write of an ended tenure commits. */
import type { Checker, Violation } from "../Checker.ts"
import { guardedWrite } from "../internal/guardedWrites.ts"
import { invalid, type State } from "../internal/ledger.ts"

export const checker: Checker = {
  name: "guarded",
  promise: "a guarded write commits only while the tenure stands that it was made in",
  check: ({ history, ledger, owners }) => {
    const violations: Array<Violation> = []
    let leader: State["leader"]
    let next = 0
    for (const commit of history.record) {
      const write = guardedWrite(commit)
      if (write !== undefined) {
        const stands = leader !== undefined && leader !== invalid && leader.held && leader.term === write.term &&
          owners.get(leader.who.registration) === write.by
        if (!stands) {
          violations.push({
            checker: "guarded",
            at: commit.at,
            who: write.by,
            message: `${write.by} writes for term ${write.term}, which does not stand any more`
          })
        }
      }
      if (ledger[next]?.commit === commit) leader = ledger[next++]!.after.leader
    }
    return violations
  }
}
