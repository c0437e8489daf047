import * as Checker from "../Checker.ts"
import { millisecond, second } from "../EventScheduler.ts"
import { longestTransaction } from "../FaultRates.ts"
import type { Analysis } from "../internal/analysis.ts"
import { claimOf, type Entry, holderOf, type State } from "../internal/ledger.ts"
import { makeIsSettled } from "../internal/settled.ts"

/** The longest time between two looks of a follower, in heartbeats. */
const longestPause = 1.5

/** What clocks may be slow by, and what a claim takes. */
const slowest = 1.05
const claiming = 50 * millisecond

/** Since when nothing may have disturbed the election. */
const settling = 4 * second

/** What keeps a follower from its claim. */
const disturbance =
  /^(fault|crashes|stops|exits|prioritizes|configures|disables|enables|spoils|repairs|evicts|raises-terms|forges|usurps)$/

/** The longest time by which those that were told of a death let each other go first. */
const longestOrder = (heartbeat: number): number => 8 * Math.min(30 * millisecond, heartbeat / 16)

/** Who has followed for long when a leader dies, and lives on for some time. */
const hasFollower = ({ processes }: Analysis, state: State, who: string, at: number, until: number) =>
  [...processes.values()].some(({ died, events, name }) => {
    const registered = events.findLast((event) => event.what === "registered" && event.at < at - settling)
    const { id, registration } = registered?.details ?? {}
    const candidate = id === undefined ? undefined : state.candidates.get(id)
    return name !== who && died > until && typeof candidate === "object" && candidate.registration === registration
  })

/** By when one that has written its record since the last renewal, and has seen the lease with that, takes over once it has lapsed. */
const lapseSeen = (
  { history: { scenario }, ledger, owners, processes }: Analysis,
  { commit: renewal, after: { lease } }: Entry,
  crashed: number,
  until: number
): number => {
  // Who takes part in several may have another to do first.
  if (typeof lease !== "object" || scenario.elections !== undefined) return until
  const bound = slowest * Number(lease.duration) + claiming
  return ledger.reduce((least, { after, before, candidates, commit: { at, by } }) => {
    const lapse = at + bound
    // Where nothing disturbs it, what it has seen is not older than that.
    if (at < Math.max(renewal.at + 100 * millisecond, crashed - settling + second) || lapse >= least) return least
    const process = processes.get(by)
    const isAble = process !== undefined && process.died > lapse && (process.margin ?? 0) < Number(lease.duration)
    const shows = isAble && [...candidates].some((id) => {
      const [was, is] = [before.candidates.get(id), after.candidates.get(id)]
      return typeof was === "object" && typeof is === "object" && was.registration === is.registration &&
        owners.get(is.registration) === by
    })
    return shows ? lapse : least
  }, until)
}

export const takeover = Checker.make(
  "takeover",
  "without other faults, a leader that has died is succeeded at once by whoever is told, and else once its lease, as a follower has seen it, has lapsed",
  function*(analysis) {
    const { faults, history: { endedAt, events }, ledger } = analysis
    const isSettled = makeIsSettled(analysis, settling)
    /** Whether nothing else happens to the election from long before until the successor has to have come. */
    const isUndisturbed = (at: number, since: number, until: number): boolean =>
      until <= endedAt && isSettled(since - 1) &&
      !faults.some(({ from, to }) => from < until && to > since - settling) &&
      !events.some((event) => event.at > at && event.at < until && disturbance.test(event.what))
    const succeeds = (entry: Entry | undefined, at: number, until: number): boolean =>
      entry !== undefined && claimOf(entry) !== undefined && entry.commit.at > at && entry.commit.at <= until
    for (const entry of ledger) {
      const { after, commit: { at, by }, written } = entry
      const appointed = written.has("leader") ? holderOf(after) : undefined
      if (appointed?.appointedBy === undefined || typeof after.config !== "object" || typeof after.lease !== "object") {
        continue
      }
      const { registration } = appointed.who
      const dead = analysis.processes.get(analysis.owners.get(registration) ?? "")
      if (dead === undefined || dead.died > at) continue
      // Those that are called with it look at once; all others in their own time.
      const isCalled = [...after.calls].some(([id, call]) => {
        const candidate = after.candidates.get(id)
        const owner = typeof candidate === "object" ? analysis.owners.get(candidate.registration) : undefined
        const process = analysis.processes.get(owner ?? "")
        return typeof call === "object" && call.term === appointed.term && process !== undefined &&
          process.died > at + second &&
          !process.events.some((event) => event.details.kind === "lost-watch")
      })
      const pause = isCalled ? 0 : longestPause * Number(after.config.heartbeat)
      const bound = slowest * (Number(after.lease.duration) + pause) + claiming
      const until = at + bound
      // Its death is what disturbs the election.
      if (!isUndisturbed(dead.died, dead.died, until) || !hasFollower(analysis, after, by, dead.died, until)) continue
      if (ledger.some((entry) => succeeds(entry, at, until))) continue
      yield [
        at,
        by,
        `${by} appoints ${dead.name}, which is dead, and no other leads within ${(bound / second).toFixed(3)} s`
      ]
    }
    for (const { at, details, what, who } of events) {
      if (what === "crashes") {
        // What it has sent may be committed after it.
        const last = ledger.findLast(({ commit, written }) => commit.at <= at + second && written.has("lease"))
        const state = last?.after
        if (typeof state?.config !== "object" || typeof state.lease !== "object" || !state.config.enabled) continue
        if (analysis.owners.get(holderOf(state)?.who.registration ?? "") !== who || last?.commit.by !== who) continue
        const bound = slowest * (Number(state.lease.duration) + longestPause * Number(state.config.heartbeat)) +
          claiming
        const until = lapseSeen(analysis, last, at, last.commit.at + bound)
        if (!isUndisturbed(at, at, until) || !hasFollower(analysis, state, who, at, until)) continue
        // A renewal that comes even later is one that the others have to wait for.
        if (ledger.some(({ commit }) => commit.by === who && commit.at > last.commit.at && commit.at <= until)) continue
        if (ledger.some((entry) => succeeds(entry, at, until))) continue
        yield [at, who, `${who} crashes, and no successor comes by ${(until / second).toFixed(3)} s`]
      } else if (what === "hears-of-death") {
        const state = ledger.findLast(({ commit }) => commit.at <= at)?.after
        const holder = state && holderOf(state)
        if (typeof state?.config !== "object" || !state.config.enabled) continue
        if (holder === undefined || details["testimony"] !== `${holder.who.registration}/${holder.who.id}`) continue
        const died = analysis.processes.get(analysis.owners.get(holder.who.registration) ?? "")?.died ?? at
        const bound = 3 * longestTransaction + longestOrder(Number(state.config.heartbeat))
        const until = at + bound
        // It was known to be registered, and to follow, for as long.
        const own = analysis.processes.get(who)?.events.findLast((event) =>
          event.at < at && /^(registered|following|elected|lost)$/.test(event.what)
        )
        const isFollower = own !== undefined && /^(registered|following)$/.test(own.what) && own.at < died - second
        if (!isFollower || !isUndisturbed(at, died, until)) continue
        if (ledger.some((entry) => succeeds(entry, died, until))) continue
        yield [
          at,
          who,
          `${who} is told that the leader has died, and no successor comes within ${bound / millisecond} ms`
        ]
      }
    }
  }
)
