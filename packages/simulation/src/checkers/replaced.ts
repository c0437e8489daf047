import * as Checker from "../Checker.ts"
import { second } from "../EventScheduler.ts"

/** The time without faults before the replacement, and the longest time until the loss, in nanoseconds. */
const settled = 8 * second
const bound = second / 2

export const replaced = Checker.make(
  "replaced",
  "without other faults, a leader whose database was replaced loses its tenure at once, not at the end of its belief",
  function*({ faults, history, processes }) {
    for (const { died, events, name } of processes.values()) {
      const at = events.find(({ details, what }) => what === "fault" && details.kind === "replace")?.at
      if (at === undefined || died < at + bound) continue
      const before = events.filter((event) => event.at < at)
      const elected = before.findLastIndex(({ what }) => what === "elected")
      if (elected < 0 || before[elected]!.at > at - settled) continue
      // A watch that is lost stays lost, and who has failed to renew waits for no watch.
      const tenure = before.slice(elected)
      if (tenure.some(({ what }) => what === "lost" || what === "fault" || what === "renewal-failed")) continue
      const isNear = (from: number, to: number) => from < at + bound && to > at - settled
      if (faults.some(({ from, to }) => isNear(from, to))) continue
      if (history.events.some((event) => event.who === "operator" && isNear(event.at, event.at))) continue
      const lost = events.find((event) => event.at >= at && event.what === "lost")?.at
      if (lost !== undefined && lost <= at + bound) continue
      const took = lost === undefined ? "for good" : `for ${((lost - at) / second).toFixed(3)} s`
      yield [at, name, `${name} still leads after its database was replaced, ${took}`]
    }
  }
)
