/**
 * How long messages and commits take, and how likely each fault is.
 *
 * Without faults times are those of a FoundationDB server of version 7.3: 1.2 ms for a read version, 1.9 for a first read, 4.4 for a
 * commit at a version that is known.
 */
import { millisecond } from "./EventScheduler.ts"

/** Probabilities are per operation; times are nanoseconds. */
export interface FaultRates {
  /** How long a message takes at least and at most, unless it is slow. */
  readonly least: number
  readonly most: number
  /** How long a batch of commits is open at most, and how long it takes then to be written. */
  readonly batch: number
  readonly logging: number
  /** How likely a message is slow, and how long it then takes on average, in addition. */
  readonly slow: number
  readonly slowMean: number
  /** 1007 in a read or a commit, though the version was not too old. */
  readonly tooOld: number
  /** 1009 in a read, though the version was given out. */
  readonly future: number
  /** 1037 in a read. */
  readonly behind: number
  /** 1020 without a conflict. */
  readonly conflict: number
  /** 1021, the transaction committed or not, in equal parts. */
  readonly unknown: number
  /** A batch of commits is refused as a whole, with one error or another. */
  readonly refused: number
  /** A read version is seconds old, where the transaction has said that it may be (`causalReadRisky`). */
  readonly lag: number
  /** The commit lands seconds after it was sent: the client has got 1031 by then, or is still waiting. */
  readonly late: number
  /** A watch never fires. */
  readonly lostWatch: number
  /** A watch fires though nothing has changed. */
  readonly spuriousWatch: number
}

/** Without faults. */
export const calm: FaultRates = {
  least: 0.15 * millisecond,
  most: 0.45 * millisecond,
  batch: millisecond,
  logging: 3.3 * millisecond,
  slow: 0,
  slowMean: 0,
  tooOld: 0,
  future: 0,
  behind: 0,
  conflict: 0,
  unknown: 0,
  refused: 0,
  lag: 0,
  late: 0,
  lostWatch: 0,
  spuriousWatch: 0
}

/** The longest that a whole transaction takes without faults, for its version, its reads and its commit, in nanoseconds. */
export const longestTransaction = 6 * calm.most + calm.batch + calm.logging
