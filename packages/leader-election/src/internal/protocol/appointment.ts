/** The appointment of a successor: by whom a tenure that ends is followed, and how long that one may believe in it (4, 6). */
import { Versionstamp } from "@effect-fdb/core"
import type { Instant } from "../candidate/instant.ts"
import { believesUntil } from "./lease.ts"
import { type Call, type CandidateRecord, type Identity, sameIdentity, type View } from "./records.ts"

/** A candidate that may be appointed. */
export interface Nominee extends CandidateRecord {
  readonly id: string
}

/** How many are called with an appointment: the appointed one, and those that take over where it is dead. */
const mostCalled = 3

/** All that may lead after a leader, in this order: those of the highest priority, and of these the one that registered first. */
export const inOrder = (nominees: ReadonlyArray<Nominee>, leader: Identity): ReadonlyArray<Nominee> =>
  nominees.filter((nominee) => !sameIdentity(nominee, leader))
    .toSorted((a, b) => b.priority - a.priority || Versionstamp.compare(a.registration, b.registration))

/** Those of them that live, as far as their heartbeats tell by the wall clock of whoever asks. Safety does not depend on it. */
export const line = (ordered: ReadonlyArray<Nominee>, now: bigint, heartbeat: bigint): ReadonlyArray<Nominee> =>
  ordered.filter(({ lastHeartbeat }) => {
    const age = now - lastHeartbeat
    return age < 2n * heartbeat && age > -2n * heartbeat
  })

/** The first of the line that are not known to have died. */
const firstOf = (line: ReadonlyArray<Nominee>, hasDied: (nominee: Nominee) => boolean): ReadonlyArray<Nominee> => {
  const first: Array<Nominee> = []
  for (const nominee of line) {
    if (first.length === mostCalled) break
    if (!hasDied(nominee)) first.push(nominee)
  }
  return first
}

/**
 * Who is called, the appointed one first: the challenger to whom a leader yields; else, of the first three of the line, one of the highest
 * priority, whose heartbeat is the youngest, for its belief lasts the longest.
 */
export const toCall = (
  line: ReadonlyArray<Nominee>,
  challenger: Nominee | undefined,
  hasDied: (nominee: Nominee) => boolean
): ReadonlyArray<Nominee> => {
  const next = firstOf(line, hasDied)
  if (challenger !== undefined) {
    return [challenger, ...next.filter((nominee) => !sameIdentity(nominee, challenger))].slice(0, mostCalled)
  }
  const appointed = next.reduce<Nominee | undefined>(
    (best, nominee) =>
      best === undefined || (nominee.priority === best.priority && nominee.lastHeartbeat > best.lastHeartbeat)
        ? nominee
        : best,
    undefined
  )
  return appointed === undefined ? [] : [appointed, ...next.filter((nominee) => nominee !== appointed)]
}

/** How long the lease of an appointment lasts: less than a heartbeat, for the appointed one may be dead. */
export const appointmentLease = (heartbeat: bigint, leaseDuration: bigint): bigint => {
  const span = heartbeat * 9n / 10n
  return span < leaseDuration ? span : leaseDuration
}

/** Whether the tenure of the view was begun by an appointment, and has not been accepted. `led`: the greatest term that this candidate has led. */
export const isAppointment = ({ leader, lease }: Pick<View, "leader" | "lease">, led: bigint | undefined): boolean =>
  leader._tag === "Held" && leader.appointedBy !== undefined && lease.ballot === leader.term &&
  (led === undefined || led < leader.term)

/** The least that has to be left of a belief that nothing has been committed for. */
const leastLeft = 100_000_000n

/** By how much the two clocks may differ over such a belief. */
const resolution = 10_000_000n

/**
 * Whether an appointed candidate may lead at once: it believes from `lookedAt` on, which was before its last look began that did *not* show
 * the appointment. Enough has to be left for a renewal, where a transaction takes as long as the last `took`. The clocks have to agree on the
 * time since then, for nobody has checked them: a wall clock that was set back may hide that the host was suspended.
 */
export const mayAdopt = (
  lookedAt: Instant | undefined,
  duration: bigint,
  margin: bigint,
  now: Instant,
  took: bigint
): lookedAt is Instant => {
  if (lookedAt === undefined) return false
  const left = believesUntil(lookedAt.monotonic, duration, margin) - now.monotonic
  const apart = now.wall - lookedAt.wall - (now.monotonic - lookedAt.monotonic)
  return left > leastLeft && left > 4n * took && apart <= resolution && apart >= -resolution
}

/** Whether two calls are the same. */
export const sameCall = (a: Call | undefined, b: Call | undefined): boolean =>
  a?.term === b?.term && a?.rank === b?.rank && a?.isVacancy === b?.isVacancy
