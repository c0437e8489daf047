/**
 * The way between one process and the database: messages take time on it, wait where it is cut, and get lost.
 */
import type { Cluster } from "./Cluster.ts"
import type { Chance } from "./internal/chance.ts"
import type { Machine } from "./Machine.ts"
import type { Weather } from "./Weather.ts"
import { second } from "./World.ts"

/** Which way is cut. */
export type Cut = "both" | "requests" | "replies"

/** A message that has waited longer for the way to be open has got lost: whoever waits for an answer sends it again. */
const patience = 5 * second

interface Held {
  readonly since: number
  /** The epoch of the cluster that it was sent in. */
  readonly epoch: number
  readonly run: (fresh: boolean) => void
}

export class Link {
  readonly machine: Machine
  readonly cluster: Cluster
  readonly chance: Chance
  private requestCuts = 0
  private replyCuts = 0
  private requests: Array<Held> = []
  private replies: Array<Held> = []
  private waitsForRecovery = false
  /** What answers take longer, in nanoseconds. */
  private drag = 0
  /** Whether what the process has open of the database is that of old. */
  private replaced = false
  private readonly atReplacement = new Set<() => void>()

  constructor(machine: Machine, cluster: Cluster) {
    this.machine = machine
    this.cluster = cluster
    this.chance = machine.world.chance(`network/${machine.name}`)
  }

  get weather(): Weather {
    return this.cluster.weather
  }

  /** How long a message takes. */
  latency(): number {
    const { least, most, slow, slowMean } = this.weather
    const plain = least + Math.floor(this.chance.next() * (most - least))
    return this.chance.happens(slow) ? plain + Math.floor(this.chance.exponential(slowMean)) : plain
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
    const since = this.machine.world.now
    const { epoch } = this.cluster
    this.machine.world.after(delay, () => {
      if (this.requestCuts > 0 || this.cluster.isDown) this.hold(this.requests, { since, epoch, run })
      else run(epoch === this.cluster.epoch)
    })
  }

  /** Runs at the process, when a message has got there and the process can act on it. */
  toProcess(delay: number, run: (fresh: boolean) => void): void {
    const since = this.machine.world.now
    const { epoch } = this.cluster
    this.machine.world.after(delay + this.drag, () => {
      if (!this.machine.isAlive) return
      if (this.replyCuts > 0 || this.cluster.isDown) this.hold(this.replies, { since, epoch, run })
      else this.machine.post(() => run(true))
    })
  }

  private hold(where: Array<Held>, held: Held): void {
    where.push(held)
    if (!this.cluster.isDown || this.waitsForRecovery) return
    this.waitsForRecovery = true
    this.cluster.whenRecovered(() => {
      this.waitsForRecovery = false
      this.release()
    })
  }

  private release(): void {
    if (this.cluster.isDown) return
    if (this.requestCuts === 0) {
      for (const { epoch, run, since } of this.requests.splice(0)) {
        const fresh = this.machine.world.now - since < patience && epoch === this.cluster.epoch
        this.toDatabase(this.latency(), (still) => run(still && fresh))
      }
    }
    if (this.replyCuts === 0) {
      for (const { run } of this.replies.splice(0)) this.toProcess(this.latency(), () => run(false))
    }
  }
}
