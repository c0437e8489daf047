import * as Checker from "../Checker.ts"
import { holderOf } from "../internal/ledger.ts"

export const registered = Checker.make(
  "registered",
  "a process that claims, renews or challenges is registered with the identity that it writes; no leader is evicted or unregistered",
  function*({ ledger, owners }) {
    for (const { after, before, candidates, commit: { at, by }, written } of ledger) {
      const { challenger } = typeof after.challenge === "object" ? after.challenge : {}
      if (written.has("challenge") && challenger !== undefined && by !== "operator") {
        const registered = before.candidates.get(challenger.id)
        if (typeof registered !== "object" || registered.registration !== challenger.registration) {
          yield [at, by, `"${challenger.id}" challenges without being registered`]
        }
      }
      const who = holderOf(after)?.who
      if (who === undefined) continue
      // Before the commit: a claim or a renewal writes the candidate's record as well.
      const was = before.candidates.get(who.id)
      const itself = typeof was === "object" && was.registration === who.registration
      const removed = candidates.has(who.id) && after.candidates.get(who.id) === undefined && itself
      if (by === "operator") {
        if (removed) yield [at, by, `"${who.id}" is evicted while it leads`]
      } else if (removed && owners.get(who.registration) === by) {
        yield [at, by, `"${who.id}" is unregistered while it leads`]
      } else if ((written.has("lease") || written.has("leader")) && !itself) {
        yield [at, by, `"${who.id}" leads without being registered`]
      }
    }
  }
)
