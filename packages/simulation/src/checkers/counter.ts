/** What is counted under guard is counted exactly once. */
import type { Checker, Violation } from "../Checker.ts"
import { counterUpdate } from "../internal/guardedWrites.ts"

export const checker: Checker = {
  name: "counter",
  promise: "no guarded update is lost, and none is made twice",
  check: ({ history }) => {
    const violations: Array<Violation> = []
    const steps = new Set<string>()
    let count = 0n
    for (const commit of history.record) {
      const found = counterUpdate(commit)
      if (found === undefined) continue
      const fail = (message: string) => violations.push({ checker: "counter", at: commit.at, who: found.by, message })
      if (found.count !== count + 1n) fail(`the count goes from ${count} to ${found.count}`)
      if (steps.has(found.step)) fail(`step ${found.step} is counted twice`)
      steps.add(found.step)
      count = found.count
    }
    for (const { at, details, what, who } of history.events) {
      if (what !== "guarded" || details["outcome"] !== "done" || steps.has(String(details["step"]))) continue
      violations.push({ checker: "counter", at, who, message: `step ${details["step"]} is done but was never counted` })
    }
    return violations
  }
}
