/** How a tenure goes on, how it ends, and how long its leader may believe in it (2, 3, 6, 7, 9). */
import type { RecordedReason } from "../../LossReason.ts"
import { stepDownReason } from "./challenge.ts"
import type { Refusal } from "./lossTraits.ts"
import { type Identity, isCurrent, type TenureIdentity, type View } from "./records.ts"
import { registrationStatus } from "./registration.ts"

/** What becomes of an attempt to renew. */
export type Renewal =
  | { readonly _tag: "Renew"; readonly ballot: bigint }
  | { readonly _tag: "Refuse"; readonly because: Refusal }

/** Renews exactly this tenure, unless the election is disabled or a challenge stands against it. */
export const renew = (view: View, tenure: TenureIdentity): Renewal => {
  if (!isCurrent(view.leader, tenure)) return { _tag: "Refuse", because: "replaced" }
  const registered = registrationStatus(view, tenure)
  if (registered !== "registered") return { _tag: "Refuse", because: registered }
  const because = stepDownReason(view)
  // Nobody could succeed a leader that steps down for a challenger now; an operator may want just that.
  if (!view.enabled && because !== "stepped-down") return { _tag: "Refuse", because: "disabled" }
  return because === undefined ? { _tag: "Renew", ballot: view.lease.ballot + 1n } : { _tag: "Refuse", because }
}

/** How a tenure that resigns has ended, and who is to be preferred after it: the challenger to whom it yields. */
export const resignation = (
  view: Pick<View, "leader" | "challenge" | "allowPreemption">
): { readonly reason: RecordedReason; readonly successor: Identity | undefined } => {
  const asked = stepDownReason(view)
  return { reason: asked ?? "resigned", successor: asked === "preempted" ? view.challenge?.challenger : undefined }
}

/**
 * Until when a leader believes in itself, on the clock that told `attemptStart`: from the *start* of its last confirmed
 * attempt, for the lease less the margin.
 */
export const believesUntil = (attemptStart: bigint, leaseDuration: bigint, margin: bigint): bigint =>
  attemptStart + leaseDuration - margin

/** A tenth of the lease: each clock may then go wrong by one part in nineteen, 5.2 per cent. See `docs/protocol.md`. */
export const defaultMargin = (leaseDuration: bigint): bigint => leaseDuration / 10n
