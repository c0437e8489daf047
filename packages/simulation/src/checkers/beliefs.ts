/** No two processes believe at the same time that they lead. */
import type { Checker, Violation } from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import { beliefs } from "../internal/beliefs.ts"

/** What rounding to whole nanoseconds may come to. */
const tolerance = 1000

export const checker: Checker = {
  name: "beliefs",
  promise: "no two processes believe at the same time that they lead, and none works when another has been elected",
  check: (analysis) => {
    const violations: Array<Violation> = []
    const spans = beliefs(analysis).toSorted((a, b) => a.from - b.from)
    let last = spans[0]
    for (const span of spans.slice(1)) {
      if (last === undefined) break
      // A claim that is confirmed after its belief is over is lost in the same instant, and is no belief.
      const both = Math.min(span.to, last.to) - span.from
      if ((span.who !== last.who || span.term !== last.term) && both > tolerance) {
        const overlap = (both / second).toFixed(6)
        violations.push({
          checker: "beliefs",
          at: span.from,
          who: span.who,
          message:
            `${span.who} believes in term ${span.term} while ${last.who} still does in term ${last.term}, for ${overlap} s`
        })
      }
      if (span.to > last.to) last = span
    }
    let newest: { readonly who: string; readonly term: bigint } | undefined
    for (const { at, details, what, who } of analysis.history.events) {
      if (what === "elected" && (newest === undefined || BigInt(String(details["term"])) > newest.term)) {
        newest = { who, term: BigInt(String(details["term"])) }
      } else if (what === "step" && newest !== undefined && newest.who !== who) {
        const term = BigInt(String(details["term"]))
        if (term >= newest.term) continue
        violations.push({
          checker: "beliefs",
          at,
          who,
          message: `${who} begins a step in term ${term} though ${newest.who} was elected in term ${newest.term} before`
        })
      }
    }
    return violations
  }
}
