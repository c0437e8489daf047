import * as Checker from "../Checker.ts"
import { beginningOf } from "../internal/ledger.ts"

export const sink = Checker.make(
  "sink",
  "a service that refuses smaller terms never accepts work of an older tenure after work of a newer one",
  function*({ history, ledger, owners }) {
    const tenures = new Map<bigint, string>()
    const begun = new Map<string, number>()
    ledger.forEach((entry, index) => {
      const tenure = beginningOf(entry)
      if (tenure !== undefined) begun.set(`${owners.get(tenure.who.registration)}/${tenure.term}`, index)
    })
    let newest: string | undefined
    for (const { at, details: { tenure = "", token = -1n }, what, who } of history.events) {
      if (who !== "sink" || what !== "accepts") continue
      const [process] = tenure.split("/")
      const other = tenures.get(token)
      if (other !== undefined && other !== tenure) {
        yield [at, process, `tenures ${other} and ${tenure} have the same token ${token}`]
      }
      tenures.set(token, tenure)
      if (newest !== undefined && (begun.get(tenure) ?? 0) < (begun.get(newest) ?? 0)) {
        yield [at, process, `work of ${tenure} is accepted after that of ${newest}, which began later`]
      } else newest = tenure
    }
  }
)
