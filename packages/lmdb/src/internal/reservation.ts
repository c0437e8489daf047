/**
 * A time in which the other processes do not commit, so that a large commit can; see "Large commits" in the README. Correctness does
 * not depend on it. After a reservation no process may reserve for as long, so one that is killed delays the others by a bounded time.
 */

/** In microseconds of the host's monotonic clock, which all processes share. */
export interface Reservation {
  readonly begin: bigint
  readonly end: bigint
}

/** Less than half of a lease of two seconds, so that a renewal is in time even after it has waited for the whole reservation. */
export const maxMicros = 750_000n

const now = (): bigint => process.hrtime.bigint() / 1000n

/** A reservation from before the last restart of the host is not sound. */
const isSound = ({ begin, end }: Reservation, at: bigint): boolean => begin <= at && end - begin <= maxMicros

export const isInForce = (reservation: Reservation | undefined): boolean => {
  const at = now()
  return reservation !== undefined && isSound(reservation, at) && at < reservation.end
}

/** A new reservation; `undefined` if the last one ended less than its own duration ago. */
export const after = (last: Reservation | undefined, millis: number): Reservation | undefined => {
  const begin = now()
  if (last !== undefined && isSound(last, begin) && begin < last.end + (last.end - last.begin)) return undefined
  const micros = BigInt(Math.ceil(millis * 1000))
  return { begin, end: begin + (micros < maxMicros ? micros : maxMicros) }
}

export const ended = ({ begin }: Reservation): Reservation => ({ begin, end: now() })

export const encode = ({ begin, end }: Reservation): Uint8Array => {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, begin)
  view.setBigUint64(8, end)
  return bytes
}

export const decode = (bytes: Uint8Array | undefined): Reservation | undefined => {
  if (bytes?.length !== 16) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { begin: view.getBigUint64(0), end: view.getBigUint64(8) }
}
