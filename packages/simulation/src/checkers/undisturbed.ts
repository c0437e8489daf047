/** Guarded transactions are not disturbed by renewals. */
import { Bytes } from "@effect-fdb/core"
import type { Checker, Violation } from "../Checker.ts"
import { electionSubspace } from "../Nemesis.ts"
import { counterKey } from "../Workload.ts"

export const checker: Checker = {
  name: "undisturbed",
  promise: "a guarded transaction conflicts with a change of the leader or of its own data, never with a renewal",
  check: ({ history }) => {
    const violations: Array<Violation> = []
    const leader = electionSubspace.pack(["leader"])
    const disturbing = history.record.filter(({ mutations }) =>
      mutations.some((mutation) =>
        mutation._tag !== "ClearRange" &&
        (Bytes.equals(mutation.key, leader) || Bytes.equals(mutation.key, counterKey))
      )
    )
    for (const { at, details, what, who } of history.events) {
      if (what !== "conflict" || details["tag"] !== "guarded" || details["since"] === undefined) continue
      const since = BigInt(String(details["since"]))
      if (disturbing.some((commit) => commit.version > since && commit.at <= at)) continue
      violations.push({
        checker: "undisturbed",
        at,
        who,
        message: `a guarded write of ${who} conflicts with a renewal`
      })
    }
    return violations
  }
}
