/**
 * Excludes commits while a process opens the database, and openings while a process commits; "Opening beside commits" in the
 * README says why.
 *
 * Two empty environments beside the data show who is active. A process holds a read transaction of `committers` while it commits,
 * and of `openers` while it opens. LMDB lists the readers of all processes and detects dead ones. Invariants:
 *
 * - A committer shows itself before it looks for openers. An opener shows itself at least one pause before it looks for
 *   committers. So at least one of them sees the other, in spite of delays between processors.
 * - A process waits by polling, never in a call of LMDB. So it can stop waiting for a stopped process.
 * - When committers and openers meet, the shared clock decides which side gives way. So each side keeps its share of the time,
 *   independently of how many processes are on the other side. A process that meets nobody does not wait.
 */
import { setTimeout as pause } from "node:timers/promises"
import { readersOf, type Root } from "./rootDatabase.ts"

const nothing = Uint8Array.of(0)
const pauseMillis = 1

/** In milliseconds of the host's monotonic clock, which all processes share. */
const now = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/**
 * Openers have priority in three parts of each period of 3 seconds; committers have it in the rest. The parts and the gaps differ
 * in length, so that slow commits cannot fill every part that belongs to the openers.
 */
const belongsToOpeners = (millis: number): boolean => {
  const phase = millis % 3000
  return phase < 750 || (phase >= 1250 && phase < 1500) || (phase >= 2000 && phase < 2250)
}

/** Shows this process as a reader. The returned function ends that. */
const show = (root: Root): () => void => {
  const transaction = root.useReadTransaction()
  // LMDB lists the transaction only after its first read.
  root.get(nothing, { transaction })
  return () => {
    // `done` comes first, so that the next commit can reuse the transaction.
    transaction.done()
    // Without `resetReadTxn`, lmdb-js keeps the transaction open for other reads in the same turn of the event loop.
    root.resetReadTxn()
  }
}

/** Whether another process is shown. An entry with this process's id is left from a dead process; LMDB never clears it. */
const isShown = (root: Root): boolean =>
  readersOf(root).some(({ pid, transaction }) => transaction !== undefined && pid !== process.pid)

export class OpenCommitLock {
  private readonly committers: Root
  private readonly openers: Root
  /** The number of waiting calls, which still use the two environments. */
  private waiting = 0

  constructor(committers: Root, openers: Root) {
    this.committers = committers
    this.openers = openers
  }

  /** Waits for the other role, and excludes it until the returned function is called. `signal` ends the wait. */
  async enter(role: "committer" | "opener", signal: AbortSignal): Promise<() => void> {
    const isCommitter = role === "committer"
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
        await pause(pauseMillis)
        others.readerCheck()
      }
      leave?.()
      throw signal.reason
    } finally {
      this.waiting--
    }
  }

  /** Call it after all holders have left and the signals of all waiting calls are aborted. */
  async close(): Promise<void> {
    while (this.waiting > 0) await pause(pauseMillis)
    await this.committers.close()
    await this.openers.close()
  }
}
