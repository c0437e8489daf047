/** The fencing token protects what is outside of the database. */
import type { Checker, Violation } from "../Checker.ts"

export const checker: Checker = {
  name: "sink",
  promise: "a service that refuses smaller terms never takes the work of an older tenure after that of a newer one",
  check: ({ history, ledger }) => {
    const violations: Array<Violation> = []
    const tenures = new Map<bigint, string>()
    const begun = new Map<string, number>()
    ledger.forEach(({ after, before, commit }, index) => {
      if (before.leader === after.leader || typeof after.leader !== "object" || !after.leader.held) return
      begun.set(`${commit.by}/${after.leader.term}`, index)
    })
    let newest: string | undefined
    for (const { at, details, what, who } of history.events) {
      if (who !== "sink" || what !== "accepts") continue
      const tenure = String(details["tenure"])
      const token = BigInt(String(details["token"]))
      const [lane] = tenure.split("/")
      const other = tenures.get(token)
      if (other !== undefined && other !== tenure) {
        violations.push({
          checker: "sink",
          at,
          who: lane,
          message: `tenures ${other} and ${tenure} have the same token ${token}`
        })
      }
      tenures.set(token, tenure)
      if (newest !== undefined && (begun.get(tenure) ?? 0) < (begun.get(newest) ?? 0)) {
        violations.push({
          checker: "sink",
          at,
          who: lane,
          message: `work of ${tenure} is taken after that of ${newest}, which began later`
        })
      } else newest = tenure
    }
    return violations
  }
}
