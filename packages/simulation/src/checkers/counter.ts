import * as Checker from "../Checker.ts"
import { counterUpdate } from "../internal/guardedWrites.ts"

export const counter = Checker.make(
  "counter",
  "no guarded update is lost, and none is applied twice",
  function*({ election, history }) {
    const steps = new Set<string>()
    let count = 0n
    for (const commit of history.record) {
      const update = counterUpdate(election, commit)
      if (update === undefined) continue
      if (update.count !== count + 1n) yield [commit.at, update.by, `the count goes from ${count} to ${update.count}`]
      if (steps.has(update.step)) yield [commit.at, update.by, `step ${update.step} is counted twice`]
      steps.add(update.step)
      count = update.count
    }
    for (const { at, details, what, who } of history.events) {
      if (what !== "guarded" || details["outcome"] !== "done" || steps.has(details.step!)) continue
      yield [at, who, `step ${details.step} is done but was never counted`]
    }
  }
)
