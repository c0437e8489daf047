/**
 * The last events of a process, numbered, for clients that lose their connection and resume.
 *
 * `observe` is an `ElectionObserver`: provide it where the candidacy is made, and the events of this process's candidate are among
 * those that `/events` sends.
 */
import { Bytes, type Subspace } from "@effect-fdb/core"
import { type ElectionEvent, LeaderElection } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as EventJson from "./EventJson.ts"

/**
 * An event as it is sent. Events with an `id` are kept; those without are superseded by the next of their name.
 *
 * @since 0.1.0
 * @category models
 */
export interface SentEvent {
  /** The process and the number of the event, as in `f3a91c04-12`. */
  readonly id: string | undefined
  readonly event: string
  /** The name of its election. */
  readonly election: string
  /** JSON in one line. */
  readonly data: string
}

/**
 * What an event tells.
 *
 * @since 0.1.0
 * @category models
 */
export interface EventData {
  readonly election: string
}

/** The number of events that are kept. */
const kept = 1000

/**
 * See the module.
 *
 * @since 0.1.0
 * @category models
 */
export class EventLog {
  private readonly process: string
  private readonly clock: Clock.Clock
  private events: Array<SentEvent> = []
  private last = 0
  private readonly listeners = new Set<(event: SentEvent) => void>()
  private readonly names: Array<{ readonly has: (election: string) => boolean; readonly name: string }> = []

  constructor(process: string, clock: Clock.Clock) {
    this.process = process
    this.clock = clock
  }

  /** From now on events of the election in a subspace, and of its slots and shards, have this name for it. */
  name(subspace: Subspace.Subspace, name: string): void {
    const path = LeaderElection.make(subspace).name
    const within = path === Bytes.toPrintable(subspace.prefix) ? path : `${path}/`
    const has = (election: string) => election === path || election.startsWith(within)
    this.names.push({ has, name })
  }

  /** Keeps an event, and tells the listeners. */
  publish(event: string, data: EventData): void {
    const sent = this.toEvent(`${this.process}-${++this.last}`, event, data)
    this.events.push(sent)
    if (this.events.length > kept) this.events = this.events.slice(-kept / 2)
    this.tell(sent)
  }

  /** Tells the listeners what is superseded by the next event of that name. */
  broadcast(event: string, data: EventData): void {
    if (this.listeners.size > 0) this.tell(this.toEvent(undefined, event, data))
  }

  /** An event that is kept only if it has an `id`. */
  toEvent(id: string | undefined, event: string, data: EventData): SentEvent {
    const time = new Date(this.clock.currentTimeMillisUnsafe()).toISOString()
    return { id, event, election: data.election, data: JSON.stringify({ time, ...data }) }
  }

  private tell(event: SentEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  /** The events after that of an id; `undefined` if some of them are not kept, or the id is that of another process. */
  after(id: string): ReadonlyArray<SentEvent> | undefined {
    const at = id.lastIndexOf("-")
    const number = Number(id.slice(at + 1))
    const missed = this.last - number
    if (id.slice(0, at) !== this.process || !Number.isSafeInteger(number) || number < 0) return undefined
    if (missed < 0 || missed > this.events.length) return undefined
    return missed === 0 ? [] : this.events.slice(-missed)
  }

  /** How many listen. */
  get listening(): number {
    return this.listeners.size
  }

  /** Calls back with each event from now on; gives what ends that. */
  listen(listener: (event: SentEvent) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** An `ElectionObserver`. */
  readonly observe = (event: ElectionEvent): void => {
    const { event: tag, ...data } = EventJson.toJson(event)
    const election = this.names.find(({ has }) => has(event.election))?.name ?? event.election
    this.publish(tag, { ...data, election })
  }
}

/**
 * Makes an empty log. Its process has a random name of eight hexadecimal digits.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<EventLog> = Effect.gen(function*() {
  const name = yield* Random.nextIntBetween(0, 2 ** 32 - 1)
  return new EventLog(name.toString(16).padStart(8, "0"), yield* Clock.Clock)
})
