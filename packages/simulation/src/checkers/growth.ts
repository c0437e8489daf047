import * as Checker from "../Checker.ts"
import { beginningOf } from "../internal/ledger.ts"

export const growth = Checker.make(
  "growth",
  "every claim and renewal has a greater ballot than all before it, and every tenure a greater term",
  function*({ history, ledger }) {
    let ballot = -1n
    let term = -1n
    for (const entry of ledger) {
      const { after: { leader, lease }, commit: { at, by }, written } = entry
      if (!written.has("lease") || typeof lease !== "object" || typeof leader !== "object") continue
      if (by === "operator") {
        // What an operator has repaired is older; what it has raised counts.
        if (lease.ballot > ballot) ballot = lease.ballot
        continue
      }
      if (leader.held && lease.ballot <= ballot) yield [at, by, `ballot ${lease.ballot} follows ballot ${ballot}`]
      if (!leader.held && lease.ballot < ballot) {
        yield [at, by, `a resignation takes the ballot back from ${ballot} to ${lease.ballot}`]
      }
      if (beginningOf(entry) !== undefined) {
        if (leader.term <= term) yield [at, by, `term ${leader.term} follows term ${term}`]
        if (leader.term !== lease.ballot) yield [at, by, `term ${leader.term} begins with ballot ${lease.ballot}`]
      }
      if (lease.ballot > ballot) ballot = lease.ballot
      if (leader.term > term) term = leader.term
    }
    let elected = -1n
    for (const { at, details, what, who } of history.events) {
      if (what !== "elected") continue
      // Who is late to know of its own election may be told of it after the next.
      if (details.term === elected) yield [at, who, `${who} is elected in term ${elected}, in which it led before`]
      elected = details.term!
    }
  }
)
