/** What the parts of one candidacy share: who it is, where it stands, and what it knows. */
import type { DatabaseService, FdbError } from "@effect-fdb/core"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type { ElectionConfig } from "../../ElectionConfig.ts"
import type { ElectionEvent } from "../../ElectionEvent.ts"
import type { Health } from "../../Health.ts"
import type { Sighting } from "../leader/eviction.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { Identity } from "../protocol/records.ts"
import type { ElectionKeys } from "../storage/keys.ts"
import * as Log from "./log.ts"
import { Telemetry } from "./telemetry.ts"

/** A read version may be used for four of the five seconds that the database keeps it. */
const versionLifetime = 4_000_000_000n

/** A version of the database that was read or committed, for transactions that need not ask for one. */
export interface KnownVersion {
  readonly version: bigint
  /** When it was known at the latest, on the monotonic clock. */
  readonly at: bigint
}

/** However short the heartbeat: a transaction may have to wait for a disk. */
export const leastPatience = Duration.millis(200)

/** However long the heartbeat or the lease: what waits for a transaction may be asked to end. */
export const mostPatience = Duration.seconds(10)

/** What is assumed of the heartbeat before the configuration has been read, in nanoseconds. */
export const firstHeartbeat = 3_000_000_000n

/** What is assumed of the lease before the configuration has been read, in nanoseconds. */
const firstLease = 10_000_000_000n

const bounded = (nanos: bigint): Duration.Duration =>
  Duration.clamp(Duration.nanos(nanos), { minimum: leastPatience, maximum: mostPatience })

export class Member {
  readonly keys: ElectionKeys
  readonly database: DatabaseService
  readonly clock: Clock.Clock
  /** What its election is to be set up with, where it was given that. */
  readonly config: ElectionConfig | undefined
  readonly id: string
  /** The safety margin for a lease, both in nanoseconds. */
  readonly marginOf: (leaseDuration: bigint) => bigint
  private readonly observer: (event: ElectionEvent) => void
  private readonly telemetry: Telemetry

  priority: number
  identity: Identity | undefined = undefined
  memory: Protocol.Memory = Protocol.blank
  /** The heartbeat interval in force when the configuration was last read, in nanoseconds. */
  heartbeat = firstHeartbeat
  /** The lease duration in force when the configuration was last read, in nanoseconds. */
  private lease = firstLease
  /** When its own record was last written, on the monotonic clock. */
  lastBeat: bigint | undefined = undefined
  /** A version at which its own registration was seen to stand. */
  seenAt: KnownVersion | undefined = undefined
  /** When the database last answered, on the monotonic clock. */
  lastContact: bigint | undefined = undefined
  /** The failures in a row since. */
  failures = 0
  /** Whether the configuration in force was compared with the one that it was given. */
  hasCompared = false
  /** One campaign or tenure at a time. */
  readonly turn = Semaphore.makeUnsafe(1)
  role: "Idle" | "Following" | "Leading" = "Idle"
  /** A claim may have been committed of which it has not been told. */
  claiming = false
  /** Cuts the wait of the loop that is running short. */
  callUp: Effect.Effect<void> = Effect.void
  /** Its scope is closed: it campaigns no more, and leaves with the end of what is still going on. */
  closed = false
  /** The candidates as it saw them last when it led, until it looks at them again: it may have lost the leadership meanwhile. */
  sighting: Sighting | undefined = undefined
  /** Ends the tenure that it has. */
  abdicate: Effect.Effect<void> = Effect.void

  constructor(options: {
    readonly keys: ElectionKeys
    readonly database: DatabaseService
    readonly clock: Clock.Clock
    readonly observer: (event: ElectionEvent) => void
    readonly config: ElectionConfig | undefined
    readonly id: string
    readonly priority: number
    readonly marginOf: (leaseDuration: bigint) => bigint
  }) {
    this.keys = options.keys
    this.database = options.database
    this.clock = options.clock
    this.observer = options.observer
    this.telemetry = new Telemetry(options.keys.name, options.id)
    this.config = options.config
    this.id = options.id
    this.priority = options.priority
    this.marginOf = options.marginOf
  }

  now(): bigint {
    return this.clock.monotonicTimeNanosUnsafe()
  }

  /**
   * How long a transaction of this candidate may take: a third of the lease. It does not follow from the heartbeat, which says
   * how often to ask, and not how soon an answer has to come.
   */
  get patience(): Duration.Duration {
    return bounded(this.lease / 3n)
  }

  /**
   * The same, but after failures in a row longer: every second time twice as long, every fourth time four times, up to what is
   * taken where the lease is not known. It may have been made longer; but an answer that is lost must not be waited for that long
   * each time.
   */
  get growingPatience(): Duration.Duration {
    const { failures, lease } = this
    const usual = lease / 3n
    const most = usual > firstLease / 3n ? usual : firstLease / 3n
    const grown = usual * BigInt(failures === 0 ? 1 : failures & -failures)
    return bounded(grown < most ? grown : most)
  }

  /** Whether a version may still be read at, or conflicts be judged from. */
  isFresh(known: KnownVersion | undefined): known is KnownVersion {
    return known !== undefined && this.now() - known.at < versionLifetime
  }

  /** Its own registration stood at `version`, which was known from `at` on; its own beat may have been later. */
  sawItself(version: bigint, at: bigint): void {
    if (this.seenAt === undefined || version > this.seenAt.version) this.seenAt = { version, at }
  }

  forgetsItself(): void {
    this.seenAt = undefined
  }

  /** Its record was written, at an instant, with a priority; another that was set meanwhile has not been shown yet. */
  showed(priority: number, at: bigint): void {
    if (priority === this.priority) this.lastBeat = at
  }

  /** The database has answered, with the configuration in force. */
  answered(config: ElectionConfig): void {
    this.heartbeat = Duration.toNanosUnsafe(config.heartbeatInterval)
    this.lease = Duration.toNanosUnsafe(config.leaseDuration)
    this.reached()
  }

  reached(): void {
    this.lastContact = this.now()
    this.failures = 0
  }

  health(): Health {
    const sinceContact = this.lastContact === undefined ? undefined : this.now() - this.lastContact
    return {
      role: this.role,
      sinceContact: sinceContact === undefined ? undefined : Duration.nanos(sinceContact),
      failures: this.failures,
      healthy: this.role === "Idle" || (sinceContact !== undefined && sinceContact < 3n * this.heartbeat)
    }
  }

  /**
   * Tells the observer at once, and gives what remains to be done: to log and to measure. Events are written out here and there,
   * without their constructors, which go through a proxy: that would be a twelfth of a beat.
   */
  announce(
    make: (about: { readonly election: string; readonly candidate: string }) => ElectionEvent
  ): Effect.Effect<void> {
    const event = make({ election: this.keys.name, candidate: this.id })
    // One that throws in spite of its contract must not keep a lost tenure's work from being interrupted.
    const told = Result.try(() => this.observer(event))
    // A logger or metric that throws would end a campaign, or lose a tenure, that is well.
    const recorded = Effect.catchDefect(this.telemetry.record(event), () => Effect.void)
    return Result.isSuccess(told)
      ? recorded
      : Effect.andThen(recorded, Log.error("an ElectionObserver threw an exception", told.failure))
  }

  /** It has left, and nothing happens to it any more: its metrics are given up. */
  readonly left: Effect.Effect<void> = Effect.sync(() => this.telemetry.close())

  /** Tells the observer, logs and measures. */
  tell(make: (about: { readonly election: string; readonly candidate: string }) => ElectionEvent): Effect.Effect<void> {
    return Effect.suspend(() => this.announce(make))
  }
}

/** Whether trying again can help: everything can but a use that the database refuses, as of a key that is too long. */
export const mayPass = (error: FdbError): boolean => error.code < 2000 || error.code >= 3000
