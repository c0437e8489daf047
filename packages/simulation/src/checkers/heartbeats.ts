import * as Checker from "../Checker.ts"
import { second } from "../EventScheduler.ts"
import { longestLease, makeIsSettled } from "../internal/settled.ts"

/** The longest time between two writes, in heartbeats: a look that comes soon after one has nothing to show yet, and the next may be late. */
const longest = 2.1

/** The share of the lease in which a leader whose claim was slow does not renew, so that others can write. */
const resting = 0.3

export const heartbeats = Checker.make(
  "heartbeats",
  "while nothing disturbs it, a candidate writes its record in every other heartbeat, so that others see that it lives",
  function*(analysis) {
    const { history, ledger, owners, processes } = analysis
    // Whoever has left a slot or a shard, where the database did not answer, has left its record there.
    const { as = "elections" } = history.scenario.elections ?? {}
    if (as !== "elections") return
    const isSettled = makeIsSettled(analysis, longestLease([analysis]) + 5 * second)
    /** Who shows that it lives, by id: since when it has not. */
    const shown = new Map<string, { readonly by: string; readonly at: number }>()
    let usual = 0
    const tooLate = function*(id: string, at: number) {
      const last = shown.get(id)
      if (last === undefined || at - last.at <= longest * usual || !isSettled(at)) return
      const process = processes.get(last.by)
      if (process === undefined || process.died < at) return
      // Whoever has lost a tenure writes nothing while its finalizers run.
      if (process.events.some((event) => event.what === "work-ends" && event.at > last.at && event.at < at)) return
      const took = ((at - last.at) / second).toFixed(3)
      yield [at, last.by, `${last.by} has not shown for ${took} s that "${id}" lives`] as const
    }
    for (const { after, candidates, commit: { at } } of ledger) {
      for (const id of candidates) {
        yield* tooLate(id, at)
        const candidate = after.candidates.get(id)
        const by = typeof candidate === "object" ? owners.get(candidate.registration) : undefined
        if (by === undefined) shown.delete(id)
        else shown.set(id, { by, at })
      }
      if (typeof after.config !== "object") continue
      usual = Math.max(usual, Number(after.config.heartbeat), resting * Number(after.config.lease))
    }
    for (const id of shown.keys()) yield* tooLate(id, history.endedAt)
  }
)
