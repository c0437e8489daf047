/**
 * The way between one process and the database: messages take time on it, wait where it is cut, and get lost.
 */
import { second } from "./EventScheduler.ts"
import type { FaultRates } from "./FaultRates.ts"
import type { SeededRandom } from "./internal/seededRandom.ts"
import type { SimulatedDatabase } from "./SimulatedDatabase.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"

/** Which way is cut. */
export type Cut = "both" | "requests" | "replies"

/** A message that has waited longer for the way to be open has got lost: whoever waits for an answer sends it again. */
const patience = 5 * second

interface QueuedMessage {
  readonly since: number
  /** The epoch of the cluster that it was sent in. */
  readonly epoch: number
  readonly run: (fresh: boolean) => void
}

export class Link {
  readonly process: SimulatedProcess
  readonly database: SimulatedDatabase
  readonly random: SeededRandom
  private requestCuts = 0
  private replyCuts = 0
  private requests: Array<QueuedMessage> = []
  private replies: Array<QueuedMessage> = []
  private waitsForRecovery = false
  /** What answers take longer, in nanoseconds. */
  private drag = 0
  /** Whether what the process has open of the database is that of old. */
  private replaced = false
  private readonly atReplacement = new Set<() => void>()

  constructor(process: SimulatedProcess, database: SimulatedDatabase) {
    this.process = process
    this.database = database
    this.random = process.scheduler.random(`network/${process.name}`)
  }

  get rates(): FaultRates {
    return this.database.rates
  }

  /** How long a message takes. */
  latency(): number {
    const { least, most, slow, slowMean } = this.rates
    const plain = least + Math.floor(this.random.next() * (most - least))
    return this.random.happens(slow) ? plain + Math.floor(this.random.exponential(slowMean)) : plain
  }

  /** Answers take so much longer from now on, in nanoseconds. */
  slow(drag: number): void {
    this.drag = drag
  }

  get isReplaced(): boolean {
    return this.replaced
  }

  /** The process is told from now on that its database was replaced. */
  replace(): void {
    this.replaced = true
    for (const run of this.atReplacement) run()
  }

  /** For what waits for the database at that moment. */
  whenReplaced(run: () => void): void {
    this.atReplacement.add(run)
  }

  cut(how: Cut): void {
    if (how !== "replies") this.requestCuts++
    if (how !== "requests") this.replyCuts++
  }

  heal(how: Cut): void {
    if (how !== "replies") this.requestCuts--
    if (how !== "requests") this.replyCuts--
    this.release()
  }

  /**
   * Runs at the database, when a message has got there; `fresh` unless it has waited too long to be acted on, or a recovery has
   * come between.
   */
  toDatabase(delay: number, run: (fresh: boolean) => void): void {
    const since = this.process.scheduler.now
    const { epoch } = this.database
    this.process.scheduler.after(delay, () => {
      if (this.requestCuts > 0 || this.database.isDown) this.hold(this.requests, { since, epoch, run })
      else run(epoch === this.database.epoch)
    })
  }

  /** Runs at the process, when a message has got there and the process can act on it. */
  toProcess(delay: number, run: (fresh: boolean) => void): void {
    const since = this.process.scheduler.now
    const { epoch } = this.database
    this.process.scheduler.after(delay + this.drag, () => {
      if (!this.process.isAlive) return
      if (this.replyCuts > 0 || this.database.isDown) this.hold(this.replies, { since, epoch, run })
      else this.process.post(() => run(true))
    })
  }

  private hold(where: Array<QueuedMessage>, held: QueuedMessage): void {
    where.push(held)
    if (!this.database.isDown || this.waitsForRecovery) return
    this.waitsForRecovery = true
    this.database.whenRecovered(() => {
      this.waitsForRecovery = false
      this.release()
    })
  }

  private release(): void {
    if (this.database.isDown) return
    if (this.requestCuts === 0) {
      for (const { epoch, run, since } of this.requests.splice(0)) {
        const fresh = this.process.scheduler.now - since < patience && epoch === this.database.epoch
        this.toDatabase(this.latency(), (still) => run(still && fresh))
      }
    }
    if (this.replyCuts === 0) {
      for (const { run } of this.replies.splice(0)) this.toProcess(this.latency(), () => run(false))
    }
  }
}
