/** What a work acquires and forks in its scope ends with its tenure. */
import type { Checker, Violation } from "../Checker.ts"

export const checker: Checker = {
  name: "scopes",
  promise:
    "nothing of a tenure's scope is held or runs when the tenure has been ended, or, but for finalizers and overruns that are told, beside the next leader",
  check: ({ history, ledger, processes, owners }) => {
    const violations: Array<Violation> = []
    /** When each process has ended which tenure, and when which process was elected for which. */
    const resigned = new Map<string, number>()
    for (const { after, before, commit } of ledger) {
      if (typeof before.leader !== "object" || !before.leader.held || typeof after.leader !== "object") continue
      if (after.leader.held || owners.get(before.leader.who.registration) !== commit.by) continue
      resigned.set(`${commit.by}/${before.leader.term}`, commit.at)
    }
    const elected = history.events.filter(({ what }) => what === "elected")
    for (const process of processes.values()) {
      const fail = (at: number, term: bigint, message: string) =>
        violations.push({
          checker: "scopes",
          at,
          who: process.name,
          message: `${process.name}, term ${term}: ${message}`
        })
      for (const acquired of process.events) {
        if (acquired.what !== "acquires") continue
        const term = BigInt(String(acquired.details["term"]))
        const own = process.events.filter(({ details, what }) =>
          (what === "forked-step" || what === "releases" || what === "work-ends" || what === "lost") &&
          String(details["term"]) === String(term)
        )
        const released = own.find(({ what }) => what === "releases")?.at ?? process.died
        const ended = resigned.get(`${process.name}/${term}`) ?? Number.POSITIVE_INFINITY
        const next = elected.find(({ at, details }) => at >= acquired.at && BigInt(String(details["term"])) > term)
        if (released > ended) fail(ended, term, "it resigns while something of its scope is still held")
        if (next !== undefined && next.who === process.name && released > next.at) {
          fail(next.at, term, "it leads again while something of an earlier scope is still held")
        }
        // While the finalizers of the work run they may need what is forked: the scope is closed after them.
        // A work that cannot be interrupted at once, in a commit say, may need what it has forked; an overrun tells of it.
        const isTold = process.events.some(({ details, what }) =>
          what === "overrun" && String(details["term"]) === String(term)
        )
        let finalizes = false
        // Finalizers begin in the instant of the loss, in which the work's fiber may give way before it comes to them.
        const lost = own.find(({ what }) => what === "lost")?.at
        for (const { at, what } of own) {
          if (what === "work-ends") finalizes = true
          if (what !== "forked-step") continue
          if (at > released || at > ended) fail(at, term, "a fiber of its scope goes on when that is closed")
          else if (next !== undefined && at > next.at && !isTold && !finalizes && at !== lost) {
            fail(at, term, `a fiber of its scope goes on beside ${next.who}, which leads`)
          }
        }
      }
    }
    return violations
  }
}
