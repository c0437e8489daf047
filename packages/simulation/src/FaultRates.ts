/** The latencies of messages and commits, and the probability of each fault per operation. Times are nanoseconds. */
import { millisecond } from "./EventScheduler.ts"

/**
 * Without faults, the times are those of a FoundationDB server of version 7.3: 1.2 ms for a read version, 1.9 for a first read, 4.4 for
 * a commit at a known version.
 */
export const calm = {
  /** The shortest and the longest latency of a message that is not slow. */
  least: 0.15 * millisecond,
  most: 0.45 * millisecond,
  /** The longest time that a batch of commits is open, and the time that it then takes to be written. */
  batch: millisecond,
  logging: 3.3 * millisecond,
  /** A message is slow, by this mean time. */
  slow: 0,
  slowMean: 0,
  /** 1007 in a read or a commit, though the version was not too old. */
  tooOld: 0,
  /** 1009 in a read, though the version was given out. */
  future: 0,
  /** 1037 in a read. */
  behind: 0,
  /** 1020 without a conflict. */
  conflict: 0,
  /** 1021. The transaction is committed in half of the cases. */
  unknown: 0,
  /** A batch of commits is refused as a whole. */
  refused: 0,
  /** A read version is seconds old, if the transaction allows that (`causalReadRisky`). */
  lag: 0,
  /** A commit arrives seconds after it was sent. Its client has got 1031 by then, or still waits. */
  late: 0,
  /** A watch never fires. */
  lostWatch: 0,
  /** A watch fires without a change. */
  spuriousWatch: 0
}

export type FaultRates = { readonly [rate in keyof typeof calm]: number }

/** The longest time of a transaction without faults, for its version, its reads and its commit, in nanoseconds. */
export const longestTransaction = 6 * calm.most + calm.batch + calm.logging
