import * as Checker from "../Checker.ts"
import { millisecond, second } from "../EventScheduler.ts"
import { longestTransaction } from "../FaultRates.ts"
import { type Analysis, shownAt } from "../internal/analysis.ts"
import { claimOf, type Entry, holderOf, resignationOf, type State } from "../internal/ledger.ts"
import { stepDownReason } from "../internal/transitions.ts"

/** The longest delay of a follower in the claim order, in nanoseconds. */
const longestClaimDelay = 10 * millisecond

/** Two transactions, and the delay of the follower, in nanoseconds. */
const usual = 2 * longestTransaction + longestClaimDelay

const disturbance =
  /^(fault|starts|exits|crashes|stops|retried|prioritizes|configures|disables|enables|spoils|repairs|evicts|raises-terms|forges|usurps)$/

/** Which other processes can succeed: those that have been registered long enough, and do not yield to others. */
const successors = (analysis: Analysis, state: State, by: string, at: number, settled: number) =>
  [...analysis.processes.values()].filter(({ born, died, events, name }) => {
    const before = events.filter((event) => event.at < at)
    const registered = before.findLast(({ what }) => what === "registered")
    const followed = before.findLast(({ what }) => what === "following")
    if (name === by || died < at + usual || registered === undefined || followed === undefined) return false
    if (registered.at > at - settled || followed.at > at - 100 * millisecond) return false
    const candidate = state.candidates.get(registered.details.id!)
    if (typeof candidate !== "object" || candidate.registration !== registered.details.registration) return false
    // Whoever holds another slot may have left its record behind here.
    const shown = analysis.ledger.findLast((entry) =>
      entry.commit.at < at && entry.candidates.has(String(registered.details.id))
    )
    if (shown === undefined || shown.commit.at < at - settled) return false
    const lost = before.findLast(({ what }) => what === "lost" || what === "elected")
    if (lost !== undefined && lost.at > at - settled) return false
    // A watch that is lost stays lost, long after the storm, until the next campaign: its owner polls.
    const since = lost?.at ?? born
    return !before.some((event) => event.at >= since && event.details.kind === "lost-watch")
  })

/** The leader that a commit asks to step down, if it still leads although it could know. */
const leadsOn = ({ owners, processes }: Analysis, { after, commit: { at }, written }: Entry): string | undefined => {
  if (!written.has("challenge") || stepDownReason(after) === undefined) return undefined
  const process = processes.get(owners.get(holderOf(after)?.who.registration ?? "") ?? "")
  const since = process?.events.findLast((event) => event.what === "elected" && event.at < at)?.at
  if (process === undefined || since === undefined || process.died < at + usual) return undefined
  const isOver = process.events.some((event) => event.what === "lost" && event.at > since && event.at < at + usual)
  const isDeaf = process.events.some(({ at: lost, details }) =>
    details.kind === "lost-watch" && lost > since && lost < at
  )
  return isOver || isDeaf ? undefined : process.name
}

/** The age of the oldest version at which a leader resigns, in nanoseconds. */
const oldestVersion = 5 * second

/** How many are called with an appointment, if there are as many. */
const mostCalled = 3

/** How many of some processes seem to live by the clock of the one that appoints, and wait to be called. */
const inLine = (
  { ledger, processes }: Analysis,
  { before: { calls }, commit: { at, by } }: Entry,
  heartbeat: number,
  ready: ReturnType<typeof successors>
): number => {
  const leader = processes.get(by)
  if (leader === undefined) return 0
  const now = shownAt(leader, "wall", at)
  // Who is called is read at the version of the last renewal.
  const seen = ledger.findLast(({ commit }) => commit.at < at - oldestVersion)?.after.calls
  return ready.filter((process) =>
    calls.has(process.id) && seen?.has(process.id) && Math.abs(shownAt(process, "wall", at) - now) < heartbeat / 2
  ).length
}

export const handover = Checker.make(
  "handover",
  "without faults, a leader that is asked to step down does, and a successor comes after a resignation, each within two transactions; the next in line are called with it, and its lease is renewed at once",
  function*(analysis) {
    const { history: { scenario: { elections } }, owners } = analysis
    // Who cannot renew, as its wall clock is out of range, tries again at its own pace.
    const disturbed = analysis.history.events.filter(({ details, what }) =>
      disturbance.test(what) || (what === "renewal-failed" && details.error === "ClockOutOfRange")
    )
    for (const [index, entry] of analysis.ledger.entries()) {
      const { after, commit: { at, by } } = entry
      const { config, leader } = after
      if (typeof config !== "object" || typeof leader !== "object") continue
      const resigned = resignationOf(entry)
      const tenure = resigned && after.history.get(resigned.term)
      const isAskedFor = typeof tenure === "object" && tenure.reason === "stepped-down"
      // A standby leaves a vacancy to the owner, unless an operator has asked the owner for it.
      const isForOwner = elections?.as === "shards" && !isAskedFor
      const bound = usual + (isForOwner ? 1.5 * Number(config.heartbeat) : 0)
      const settled = 2 * Number(config.heartbeat) + 3 * second
      // Until the successor has renewed its lease, if it is appointed.
      const end = at + bound + usual
      const isNear = (from: number, to: number) => from < end && to > at - settled
      if (end > analysis.history.endedAt || analysis.faults.some(({ from, to }) => isNear(from, to))) continue
      if (disturbed.some((event) => isNear(event.at, event.at))) continue
      const deaf = leadsOn(analysis, entry)
      if (deaf !== undefined) {
        yield [at, deaf, `${deaf} is asked to step down, and still leads ${usual / millisecond} ms later`]
      }
      if (resigned === undefined || !config.enabled) continue
      if (!leader.held && leader.successor !== undefined) continue
      const ready = successors(analysis, after, by, at, settled)
      const appointed = leader.held ? ready.find(({ name }) => name === owners.get(leader.who.registration)) : undefined
      if (leader.held ? appointed === undefined : ready.length === 0) continue
      const next = leader.held
        ? appointed?.events.find(({ details, what }) => what === "elected" && details.term === leader.term)?.at
        : analysis.ledger.slice(index + 1).find((later) => claimOf(later) !== undefined)?.commit.at
      if (next !== undefined && next <= at + bound) {
        if (appointed === undefined || elections !== undefined) continue
        const called = [...after.calls.values()].filter((call) => typeof call === "object" && call.term === leader.term)
        const expected = Math.min(mostCalled, inLine(analysis, entry, Number(config.heartbeat), ready))
        if (called.length < expected) {
          yield [at, by, `${by} appoints a successor, and calls ${called.length} of ${expected}`]
        }
        const isOver = appointed.events.some((event) => event.what === "lost" && event.at > next && event.at < end)
        const isRenewed = analysis.ledger.slice(index + 1).some(({ commit, written }) =>
          commit.by === appointed.name && commit.at <= end && written.has("lease")
        )
        if (isOver || isRenewed || appointed.died < end) continue
        yield [next, appointed.name, `${appointed.name} is appointed, and does not renew its lease at once`]
        continue
      }
      const took = next === undefined ? "never" : `${((next - at) / millisecond).toFixed(1)} ms later`
      yield [at, by, `${by} resigns, and a successor comes ${took}, not within ${bound / millisecond} ms`]
    }
  }
)
