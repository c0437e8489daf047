/**
 * When the other processes are asked to hold their commits back for a large one.
 *
 * A large commit takes long to be handed to LMDB, and is void when another comes in between. After some tries, its process
 * reserves the turn after theirs: the others wait, for no longer than {@link maxMicros}, and then for as long as that took
 * nobody may reserve anything. A process that is stopped or killed with a reservation delays the others by no more than that.
 */
import type { Reservation } from "./layout.ts"

/** Less than half of a lease of two seconds, so that a renewal comes in time also when it has waited for all of it. */
export const maxMicros = 750_000n

/** All processes of a host share this clock. */
const now = (): bigint => process.hrtime.bigint() / 1000n

/** What was reserved before the host was started again, or by who knows whom, is none. */
const isSound = ({ begin, end }: Reservation, at: bigint): boolean => begin <= at && end - begin <= maxMicros

export const isInForce = (reservation: Reservation | undefined): boolean => {
  const at = now()
  return reservation !== undefined && isSound(reservation, at) && at < reservation.end
}

/** A new one, for some milliseconds; `undefined` when the others have not had as much time as the last one took. */
export const after = (last: Reservation | undefined, millis: number): Reservation | undefined => {
  const begin = now()
  if (last !== undefined && isSound(last, begin) && begin < last.end + (last.end - last.begin)) return undefined
  const micros = BigInt(Math.ceil(millis * 1000))
  return { begin, end: begin + (micros < maxMicros ? micros : maxMicros) }
}

/** One that is not needed any more. */
export const ended = ({ begin }: Reservation): Reservation => ({ begin, end: now() })
