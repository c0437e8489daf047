import * as Checker from "../Checker.ts"
import { guardedWrite } from "../internal/guardedWrites.ts"
import { holderOf } from "../internal/ledger.ts"

export const guarded = Checker.make(
  "guarded",
  "a guarded write commits only while its tenure stands",
  function*({ election, history, ledger, owners }) {
    let holder: ReturnType<typeof holderOf>
    let next = 0
    for (const commit of history.record) {
      const write = guardedWrite(election, commit)
      if (write !== undefined) {
        const { by, term } = write
        const stands = holder !== undefined && holder.term === term && owners.get(holder.who.registration) === by
        if (!stands) yield [commit.at, by, `${by} writes for term ${term}, which does not stand any more`]
      }
      if (ledger[next]?.commit === commit) holder = holderOf(ledger[next++]!.after)
    }
  }
)
