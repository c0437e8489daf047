/**
 * The weather between processes and the database: how long messages take, and what goes wrong on the way.
 */
import { millisecond } from "./World.ts"

/** Probabilities are per operation; times are nanoseconds. */
export interface Weather {
  /** How long a message takes at least and at most, where nothing slows it down. */
  readonly least: number
  readonly most: number
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
  /** The commit lands seconds after it was sent: the client has got 1031 by then, or is still waiting. */
  readonly late: number
  /** A watch never fires. */
  readonly lostWatch: number
  /** A watch fires though nothing has changed. */
  readonly spuriousWatch: number
}

/** Nothing goes wrong, and messages take a few milliseconds at most. */
export const calm: Weather = {
  least: 0.2 * millisecond,
  most: 2 * millisecond,
  slow: 0,
  slowMean: 0,
  tooOld: 0,
  future: 0,
  behind: 0,
  conflict: 0,
  unknown: 0,
  late: 0,
  lostWatch: 0,
  spuriousWatch: 0
}

/** The longest that a message takes in calm weather, in nanoseconds. */
export const longestHop = calm.most
