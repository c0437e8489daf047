/** Ballots and terms strictly grow over the whole history, resignations included. */
import type { Checker, Violation } from "../Checker.ts"
import { invalid } from "../internal/ledger.ts"

export const checker: Checker = {
  name: "growth",
  promise: "every claim and renewal has a greater ballot than all before it, and every tenure a greater term",
  check: ({ ledger }) => {
    const violations: Array<Violation> = []
    let ballot = -1n
    let term = -1n
    for (const { after, before, commit, written } of ledger) {
      if (commit.by === "operator" || !written.has("lease")) continue
      const { leader, lease } = after
      if (lease === undefined || lease === invalid || leader === undefined || leader === invalid) continue
      const fail = (message: string) => violations.push({ checker: "growth", at: commit.at, who: commit.by, message })
      if (!leader.held) {
        if (lease.ballot < ballot) fail(`a resignation takes the ballot back from ${ballot} to ${lease.ballot}`)
      } else if (lease.ballot <= ballot) {
        fail(`ballot ${lease.ballot} follows ballot ${ballot}`)
      }
      const isNew = before.leader !== after.leader && leader.held
      if (isNew) {
        if (leader.term <= term) fail(`term ${leader.term} follows term ${term}`)
        if (leader.term !== lease.ballot) fail(`term ${leader.term} begins with ballot ${lease.ballot}`)
      }
      if (lease.ballot > ballot) ballot = lease.ballot
      if (leader.term > term) term = leader.term
    }
    return violations
  }
}
