/** A version of the database that was read or committed: a transaction that takes it need not ask for one. */
export interface KnownVersion {
  readonly version: bigint
  /** When it was known at the latest, on the monotonic clock. */
  readonly at: bigint
}

/** Four of the five seconds for which the database keeps a version. */
const lifetime = 4_000_000_000n

/** Whether it may still be read at, or conflicts be judged from. */
export const isFresh = (known: KnownVersion | undefined, now: bigint): known is KnownVersion =>
  known !== undefined && now - known.at < lifetime
