import * as Checker from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import type { Analysis } from "../internal/analysis.ts"
import { claimOf, holderOf } from "../internal/ledger.ts"
import { workRuns } from "../internal/workRuns.ts"

/** The time in which a claim of unknown result may still be applied, in nanoseconds. */
const underWay = 10 * second

/** What processes claimed, until it ended or they lost it. A claim under way when faults strike may be applied beside another. */
const holdings = ({ election: { name }, faults, history: { endedAt }, ledger, processes }: Analysis) =>
  ledger.flatMap((entry, index) => {
    const claim = claimOf(entry)
    const { at: from, by: who } = entry.commit
    if (
      claim === undefined || who === "operator" ||
      faults.some((fault) => fault.from < from && fault.to > from - underWay)
    ) return []
    const ended = ledger.slice(index).find(({ after }) => holderOf(after)?.term !== claim.term)?.commit.at ?? endedAt
    const { died = endedAt, events = [] } = processes.get(who) ?? {}
    const lost = events.find(({ details: { term }, what }) => what === "lost" && term === claim.term)?.at ?? endedAt
    return [{ what: "holds", name, who, from, to: Math.min(ended, lost, died) }]
  })

export const slots = Checker.makeForAll(
  "slots",
  "no process works in two slots at once; without faults, none holds two",
  "slots",
  function*(elections) {
    const works = elections.flatMap((analysis) =>
      workRuns(analysis).map(({ begins, ended, process: { died, name: who } }) => {
        return { what: "works in", name: analysis.election.name, who, from: begins, to: ended ?? died }
      })
    )
    const spans = [...works, ...elections.flatMap(holdings)].toSorted((a, b) => a.from - b.from)
    for (const [index, { from, name, what, who }] of spans.entries()) {
      const other = spans.slice(0, index).find((other) =>
        other.what === what && other.who === who && other.name !== name && other.to > from
      )
      if (other === undefined) continue
      const both = ((other.to - from) / second).toFixed(6)
      yield [from, who, `${who} ${what} ${name} while it still ${what} ${other.name}, for ${both} s`]
    }
  }
)
