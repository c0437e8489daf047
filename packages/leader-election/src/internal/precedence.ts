/**
 * Who tries a vacancy first. All followers are told of it in the same moment; if all claimed at once, all but one would do so
 * in vain, and keep that one waiting for conflicts, locks and processors. So they go one after another, a few milliseconds
 * apart, in the order in which they have registered: whoever is new stands in nobody's way.
 *
 * Nothing depends on it but how soon there is a leader, and at what cost.
 */
import { Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import type { CandidateInfo } from "../CandidateInfo.ts"
import type { Identity } from "./records.ts"

/** Whoever is not kept from it has read, claimed and committed by then. */
const apart = Duration.millis(10)

/** However many there are: a few that are dead, or slow, do not hold off the others for long. */
const lastPlace = 10

/** A candidate's place: how many of the living others have registered before it and do not lead. */
export const place = (living: ReadonlyArray<CandidateInfo>, me: Identity, leaderId: string): number => {
  const before = living.filter(({ processId, registration }) =>
    processId !== leaderId && Versionstamp.compare(registration, me.registration) < 0
  )
  return Math.min(before.length, lastPlace)
}

/** How long to let those before the place go first. */
export const headStart = (place: number): Duration.Duration => Duration.times(apart, place)
