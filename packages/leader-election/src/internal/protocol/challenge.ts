/** Challenges: who is to step down, and who may ask for it (7). */
import type { Claimant, HistoryRecord, View } from "./records.ts"

/** Whether a challenge obliges the leader of the view to step down, and by whose wish. */
export const stepDownReason = (
  view: Pick<View, "leader" | "challenge" | "allowPreemption">
): "preempted" | "stepped-down" | undefined => {
  const { allowPreemption, challenge, leader } = view
  if (leader._tag === "Vacant" || challenge === undefined || challenge.term !== leader.term) return undefined
  if (challenge.challenger === undefined) return "stepped-down"
  return allowPreemption && challenge.priority > leader.priority ? "preempted" : undefined
}

/** Whether the claimant should ask the leader of the view to step down: no equal or better request stands already. */
export const shouldChallenge = (view: View, claimant: Claimant): boolean => {
  const { challenge, leader } = view
  if (!view.allowPreemption || leader._tag === "Vacant" || claimant.priority <= leader.priority) return false
  return challenge === undefined || challenge.term !== leader.term ||
    (challenge.challenger !== undefined && challenge.priority < claimant.priority)
}

/** A tenure of the history. */
export interface PastTenure extends Pick<HistoryRecord, "leaderId" | "reason"> {
  readonly term: bigint
}

/** How many tenures of the history tell whether to wait before a challenge. */
export const tenuresConsidered = 32

/** However many preemptions have failed, a challenge is made after so many doublings of the lease. */
const mostDoublings = 6

/**
 * How many preemptions in a row have come to nothing: the tenures that were won by one, and that their leaders ended within
 * about a lease, by failing, dying or giving up. One that lasted ends the row, and so does any of the candidate `id` that
 * lasted. `history` has the newest tenure first, that of the leader to be challenged, which has renewed it up to `ballot`.
 *
 * Asks no clock: a term is the ballot at which its tenure begins, so the next term tells how often a tenure was renewed.
 */
export const failedPreemptions = (
  history: ReadonlyArray<PastTenure>,
  ballot: bigint,
  id: string,
  renewalsInLease: bigint
): number => {
  let failed = 0
  for (const [i, { leaderId, reason, term }] of history.entries()) {
    const last = i === 0 ? ballot : history[i - 1]!.term - 1n
    const lasted = last - term > renewalsInLease
    const preempted = history[i + 1]?.reason === "preempted"
    if (lasted && (preempted || leaderId === id)) return failed
    if (preempted && (reason === "resigned" || reason === "expired" || reason === "died")) failed++
  }
  return failed
}

/** How long a leader is left unchallenged after so many preemptions in a row that failed: a lease, doubled with each. */
export const challengeDelay = (failed: number, lease: bigint): bigint =>
  failed === 0 ? 0n : lease << BigInt(Math.min(failed - 1, mostDoublings))
