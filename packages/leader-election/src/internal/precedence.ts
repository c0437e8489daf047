/**
 * Who tries a vacancy first. All followers are told of it in the same moment; if all claimed at once, all but one would do so
 * in vain, and keep that one waiting for conflicts, locks and processors. So the one that has registered first goes at
 * once, the second a moment later, and after another all the rest: whoever is new stands in nobody's way.
 *
 * Nothing depends on it but how soon there is a leader, and at what cost.
 */
import { Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import type { CandidateInfo } from "../CandidateInfo.ts"
import type { Identity } from "./records.ts"

/** Whoever is not kept from it has read and claimed by then, where the database is near. */
const apart = Duration.millis(5)

/** Those before may be dead, or have just resigned: they must not hold off the others for longer than a round trip or two. */
const lastPlace = 2

/** A candidate's place: how many of the living others have registered before it and do not lead. */
export const place = (living: ReadonlyArray<CandidateInfo>, me: Identity, leaderId: string): number => {
  const before = living.filter(({ processId, registration }) =>
    processId !== leaderId && Versionstamp.compare(registration, me.registration) < 0
  )
  return Math.min(before.length, lastPlace)
}

/** How long to let those before the place go first. */
export const headStart = (place: number): Duration.Duration => Duration.times(apart, place)
