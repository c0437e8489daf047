/**
 * When the other processes are asked to hold their commits back for a large one. It is a courtesy: no commit depends on it.
 *
 * A large commit takes long to be handed to LMDB, and is void when another comes in between. After some tries, its process
 * reserves the turn after theirs: the others wait, for no longer than {@link maxMicros}, and then for as long as that took
 * nobody may reserve anything. A process that is stopped or killed with a reservation delays the others by no more than that.
 */

/** From when to when, in microseconds of the host's monotonic clock, which all its processes share. */
export interface Reservation {
  readonly begin: bigint
  readonly end: bigint
}

/** Less than half of a lease of two seconds, so that a renewal comes in time also when it has waited for all of it. */
export const maxMicros = 750_000n

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

export const encode = ({ begin, end }: Reservation): Uint8Array => {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, begin)
  view.setBigUint64(8, end)
  return bytes
}

/** `undefined` for bytes that are no reservation. */
export const decode = (bytes: Uint8Array | undefined): Reservation | undefined => {
  if (bytes?.length !== 16) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { begin: view.getBigUint64(0), end: view.getBigUint64(8) }
}
