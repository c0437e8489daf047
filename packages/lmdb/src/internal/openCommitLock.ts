/**
 * Keeps the opening of a database apart from the commits to it, among all processes of a directory.
 *
 * When LMDB opens an environment, it reads which transaction was the last and then stores that number where all processes
 * have it, without the lock that a commit has (`mdb_env_open2` in `mdb.c`, lmdb 3.5.6 and before). When a commit of another
 * process comes between the two, the number goes back, and the next commit overwrites that one.
 *
 * Who does what shows in two environments beside the data, in which nothing is ever written. A process has a read transaction
 * of the one while it commits, of the other while it opens. LMDB lists the readers of all processes, and knows of those that
 * have died.
 *
 * **Invariants**
 *
 * - A committer shows itself before it looks for openers. An opener shows itself a while before it looks for committers. So
 *   either sees the other, whatever the order in which processors let each other know.
 * - Nobody waits in a call of LMDB, but by looking again; so whoever waits for a stopped process can give up.
 * - Of those who meet, one side gives way, by nothing but the clock that they share. So however many open, or wait for a
 *   stopped committer, commits keep their share of the time; and so do openings. Where nobody is met, nobody waits.
 */
import { readersOf, type Root } from "./rootDatabase.ts"

const nothing = Uint8Array.of(0)
const pauseMillis = 1

const pause = () => new Promise<void>((resume) => setTimeout(resume, pauseMillis))

/** All processes of a host share this clock, in milliseconds. */
const now = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/**
 * Whether committers give way to openers, or else openers to committers: of every three seconds three quarters of the first,
 * for commits that are slow, and two more quarters; and no even beat, for commits that take as long as that would begin in
 * each gap.
 */
const belongsToOpeners = (millis: number): boolean => {
  const phase = millis % 3000
  return phase < 750 || (phase >= 1250 && phase < 1500) || (phase >= 2000 && phase < 2250)
}

/** Shows this process as a reader, until the function returned is called. */
const show = (root: Root): () => void => {
  const transaction = root.useReadTransaction()
  // LMDB does not know of the transaction before the first read in it.
  root.get(nothing, { transaction })
  return () => {
    // In this order, the transaction can be used again, and need not be made anew with each commit.
    transaction.done()
    // Without this, lmdb-js keeps it open for other reads in the same turn of the event loop.
    root.resetReadTxn()
  }
}

/**
 * Whether another process is shown. What stands there of this one is left from a dead process that had its number, which LMDB
 * would never clear; in itself, a process opens only what it has not open.
 */
const isShown = (root: Root): boolean =>
  readersOf(root).some(({ pid, transaction }) => transaction !== undefined && pid !== process.pid)

export class OpenCommitLock {
  private readonly committers: Root
  private readonly openers: Root
  /** How many wait, and look at the two again. */
  private waiting = 0

  constructor(committers: Root, openers: Root) {
    this.committers = committers
    this.openers = openers
  }

  /** Waits until nobody opens, and keeps it so until the function is called that is given. `signal` ends the waiting. */
  readonly enterToCommit = (signal: AbortSignal): Promise<() => void> => this.enter(true, signal)

  /** Waits until nobody commits, and keeps it so until the function is called that is given. `signal` ends the waiting. */
  readonly enterToOpen = (signal: AbortSignal): Promise<() => void> => this.enter(false, signal)

  private async enter(isCommitter: boolean, signal: AbortSignal): Promise<() => void> {
    const [own, others] = isCommitter ? [this.committers, this.openers] : [this.openers, this.committers]
    let leave: (() => void) | undefined = undefined
    this.waiting++
    try {
      while (!signal.aborted) {
        if (isCommitter) leave ??= show(own)
        const isMet = isShown(others)
        if (!isMet && leave !== undefined) return leave
        if (!isMet || belongsToOpeners(now()) !== isCommitter) {
          leave ??= show(own)
        } else {
          leave?.()
          leave = undefined
        }
        await pause()
        others.readerCheck()
      }
      leave?.()
      throw signal.reason
    } finally {
      this.waiting--
    }
  }

  /** To be called when nobody is in, and those who wait have been told to end that. */
  async close(): Promise<void> {
    while (this.waiting > 0) await pause()
    await this.committers.close()
    await this.openers.close()
  }
}
