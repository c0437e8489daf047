/** The contact to the database: when it answered last, what has failed since, and the configuration that it told last. */
import type { FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import type { ElectionConfig } from "../../ElectionConfig.ts"

/** However short the heartbeat: a transaction may have to wait for a disk. */
export const minTimeout = Duration.millis(200)

/** However long the heartbeat or the lease: whoever waits for a transaction may be asked to end. */
export const maxTimeout = Duration.seconds(10)

/** The heartbeat interval until the configuration has been read, in nanoseconds. */
export const firstHeartbeat = 3_000_000_000n

/** The lease duration until the configuration has been read, in nanoseconds. */
const firstLease = 10_000_000_000n

const bounded = (nanos: bigint): Duration.Duration =>
  Duration.clamp(Duration.nanos(nanos), { minimum: minTimeout, maximum: maxTimeout })

/** Whether trying again can help: everything can but a use that the database refuses, for example of a key that is too long. */
export const isTransient = (error: FdbError): boolean => error.code < 2000 || error.code >= 3000

export class Contact {
  private readonly now: () => bigint
  private inForce = { heartbeat: firstHeartbeat, lease: firstLease }
  private lastAnswer: bigint | undefined = undefined
  private failed = 0
  private lastCommit = 0n

  constructor(now: () => bigint) {
    this.now = now
  }

  /** The heartbeat interval in force when the configuration was last read, in nanoseconds. */
  get heartbeat(): bigint {
    return this.inForce.heartbeat
  }

  /** Whether the election was ever read. */
  get hasAnswered(): boolean {
    return this.lastAnswer !== undefined
  }

  /** The failures in a row since the last answer. */
  get failures(): number {
    return this.failed
  }

  /** How long ago the database last answered, in nanoseconds. */
  get sinceAnswer(): bigint | undefined {
    return this.lastAnswer === undefined ? undefined : this.now() - this.lastAnswer
  }

  /** The database has answered, and told the configuration in force. */
  configured(config: ElectionConfig): void {
    this.inForce = {
      heartbeat: Duration.toNanosUnsafe(config.heartbeatInterval),
      lease: Duration.toNanosUnsafe(config.leaseDuration)
    }
    this.answered()
  }

  answered(): void {
    this.lastAnswer = this.now()
    this.failed = 0
  }

  /** How long the last transaction took that has written the candidate's record, in nanoseconds. */
  get commitTook(): bigint {
    return this.lastCommit
  }

  committedIn(took: bigint): void {
    this.lastCommit = took
  }

  failure(): void {
    this.failed++
  }

  /** How long a transaction may take: a third of the lease. The heartbeat says how often to ask, not how soon to be answered. */
  get transactionTimeout(): Duration.Duration {
    return bounded(this.inForce.lease / 3n)
  }

  /**
   * The same, but longer after failures in a row, for the lease may have been made longer: twice as long every second time, four
   * times every fourth, up to what is taken where the lease is not known.
   */
  get growingTimeout(): Duration.Duration {
    const usual = this.inForce.lease / 3n
    const most = usual > firstLease / 3n ? usual : firstLease / 3n
    const grown = usual * BigInt(this.failed === 0 ? 1 : this.failed & -this.failed)
    return bounded(grown < most ? grown : most)
  }
}
