import * as Checker from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import * as Beliefs from "../internal/beliefs.ts"

/** The tolerance for rounding to whole nanoseconds. */
const tolerance = 1000

export const beliefs = Checker.make(
  "beliefs",
  "no two processes believe at the same time that they lead; none begins a step of its work after a newer leader is elected",
  function*(analysis) {
    let last: Beliefs.Belief | undefined
    for (const belief of Beliefs.beliefs(analysis)) {
      const { from, term, to, who } = belief
      if (last !== undefined && (who !== last.who || term !== last.term)) {
        // A claim that is confirmed after its belief is over is lost in the same instant, and is no belief.
        const both = Math.min(to, last.to) - from
        const other = `${last.who} still does in term ${last.term}, for ${(both / second).toFixed(6)} s`
        if (both > tolerance) yield [from, who, `${who} believes in term ${term} while ${other}`]
      }
      if (last === undefined || to > last.to) last = belief
    }
    let newest: { readonly who: string; readonly term: bigint } | undefined
    for (const { at, details, what, who } of analysis.history.events) {
      const term = details.term!
      if (what === "elected" && (newest === undefined || term > newest.term)) newest = { who, term }
      else if (what === "step" && newest !== undefined && newest.who !== who && term < newest.term) {
        const other = `${newest.who} was elected in term ${newest.term} before`
        yield [at, who, `${who} begins a step in term ${term} though ${other}`]
      }
    }
  }
)
