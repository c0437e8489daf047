/** The network between one process and the database. Messages take time, wait while it is cut, and get lost. */
import { second } from "./EventScheduler.ts"
import type { SeededRandom } from "./internal/seededRandom.ts"
import type { SimulatedDatabase } from "./SimulatedDatabase.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"

export type Cut = "both" | "requests" | "replies"

/** A request that waits longer for the link is lost, in nanoseconds. */
const longestWait = 5 * second

/** `fresh` unless the message has waited too long, or was sent before a recovery. */
type Receive = (fresh: boolean) => void

/** A message that waits for the link or for the database. It was sent in an epoch of the database. */
interface QueuedMessage {
  readonly since: number
  readonly epoch: number
  readonly receive: Receive
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
  /** The additional latency of replies, in nanoseconds. */
  delay = 0
  /** The database that the process has open was replaced. */
  isReplaced = false
  private readonly atReplacement = new Set<() => void>()

  constructor(process: SimulatedProcess, database: SimulatedDatabase) {
    this.process = process
    this.database = database
    this.random = process.scheduler.random(`network/${process.name}`)
  }

  latency(): number {
    const { least, most, slow, slowMean } = this.database.rates
    const plain = least + Math.floor(this.random.next() * (most - least))
    return this.random.happens(slow) ? plain + Math.floor(this.random.exponential(slowMean)) : plain
  }

  replace(): void {
    this.isReplaced = true
    for (const run of this.atReplacement) run()
  }

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

  /** Runs at the database when the message arrives. */
  toDatabase(delay: number, receive: Receive): void {
    const message = this.message(receive)
    this.process.scheduler.after(delay, () => {
      if (this.requestCuts > 0 || this.database.isDown) this.hold(this.requests, message)
      else receive(message.epoch === this.database.epoch)
    })
  }

  /** Runs at the process when the message has arrived and the process runs. */
  toProcess(delay: number, receive: Receive): void {
    const message = this.message(receive)
    this.process.scheduler.after(delay + this.delay, () => {
      if (!this.process.isAlive) return
      if (this.replyCuts > 0 || this.database.isDown) this.hold(this.replies, message)
      else this.process.post(() => receive(true))
    })
  }

  private message(receive: Receive): QueuedMessage {
    return { since: this.process.scheduler.now, epoch: this.database.epoch, receive }
  }

  private hold(queue: Array<QueuedMessage>, message: QueuedMessage): void {
    queue.push(message)
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
      for (const { epoch, receive, since } of this.requests.splice(0)) {
        const fresh = this.process.scheduler.now - since < longestWait && epoch === this.database.epoch
        this.toDatabase(this.latency(), (still) => receive(still && fresh))
      }
    }
    if (this.replyCuts === 0) {
      for (const { receive } of this.replies.splice(0)) this.toProcess(this.latency(), () => receive(false))
    }
  }
}
