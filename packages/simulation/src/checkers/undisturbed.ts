import { Bytes } from "@effect-fdb/core"
import * as Checker from "../Checker.ts"
import { guardTag } from "../Workload.ts"

export const undisturbed = Checker.make(
  "undisturbed",
  "a guarded transaction conflicts with a change of the leader or of its own data, never with a renewal",
  function*({ election, history }) {
    const leaderKey = election.subspace.pack(["leader"])
    const disturbing = history.record.filter(({ mutations }) =>
      mutations.some((mutation) =>
        mutation._tag !== "ClearRange" &&
        (Bytes.equals(mutation.key, leaderKey) || Bytes.equals(mutation.key, election.counter))
      )
    )
    for (const { at, details, what, who } of history.events) {
      if (what !== "conflict" || details["tag"] !== guardTag(election)) continue
      const since = details["since"]
      if (typeof since !== "bigint") continue
      if (disturbing.some((commit) => commit.version > since && commit.at <= at)) continue
      yield [at, who, `a guarded write of ${who} conflicts with a renewal`]
    }
  }
)
