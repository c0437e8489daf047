/** Who is told that its database was replaced stops to lead at once. */
import type { Checker, Violation } from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import * as Analysis from "../internal/analysis.ts"

/** How long before the fault nothing may have gone wrong, and how soon the tenure has to be lost, in nanoseconds. */
const settled = 8 * second
const bound = second / 2

export const checker: Checker = {
  name: "replaced",
  promise: "in good weather a leader whose database was replaced loses its tenure at once, and not with its belief",
  check: ({ history, processes }) => {
    const violations: Array<Violation> = []
    const faults = Analysis.faults(history)
    for (const process of processes.values()) {
      const replaced = process.events.find(({ details, what }) => what === "fault" && details["kind"] === "replace")
      if (replaced === undefined) continue
      const { at } = replaced
      const before = process.events.filter((event) => event.at < at)
      const elected = before.findLast(({ what }) => what === "elected")
      const isNear = (from: number, to: number) => from < at + bound && to > at - settled
      if (elected === undefined || elected.at > at - settled || process.died < at + bound) continue
      const tenure = before.slice(before.indexOf(elected))
      // A watch that is lost stays lost, and who has failed to renew waits for no watch.
      if (tenure.some(({ what }) => what === "lost" || what === "fault" || what === "renewal-failed")) continue
      if (faults.some(({ from, to }) => isNear(from, to))) continue
      if (history.events.some((event) => event.who === "operator" && isNear(event.at, event.at))) continue
      const lost = process.events.find((event) => event.at >= at && event.what === "lost")
      if (lost !== undefined && lost.at <= at + bound) continue
      violations.push({
        checker: "replaced",
        at,
        who: process.name,
        message: `${process.name} leads on when its database was replaced, ${
          lost === undefined ? "for good" : `for ${((lost.at - at) / second).toFixed(3)} s`
        }`
      })
    }
    return violations
  }
}
