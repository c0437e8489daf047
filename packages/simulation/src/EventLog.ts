/** The events of a history in their order, and as canonical text: the same seed gives the same bytes. */
import { type EventScheduler, second } from "./EventScheduler.ts"

/** A value of an event. */
export type Detail = string | number | bigint | boolean | undefined

/** The details of an event. Instants and durations are nanoseconds; `Report` lists the exceptions. */
export interface Details {
  readonly [name: string]: Detail
  /** The election that it is about, where there are several. */
  readonly election?: string | undefined
  readonly term?: bigint
  readonly ballot?: bigint
  readonly token?: bigint
  readonly tenure?: string
  readonly id?: string
  readonly registration?: string
  readonly kind?: string
  readonly cause?: string
  readonly reason?: string
  readonly path?: string
  readonly step?: string
  readonly until?: number
  readonly duration?: number
  readonly monotonic?: number
  readonly wall?: number
  readonly runs?: boolean
  readonly rate?: number
  readonly machine?: number | undefined
  readonly begun?: number
}

/** One event. */
export interface Event {
  /** When, in nanoseconds of simulated time. */
  readonly at: number
  /** Whose it is: a process as in `p1#1`, `operator`, `sink`, `simulation`. */
  readonly who: string
  readonly what: string
  readonly details: Details
}

/** An event as its line. */
export const format = ({ at, details, what, who }: Event): string => {
  const seconds = String(Math.floor(at / second)).padStart(6, "0")
  const rest = Object.entries(details).filter(([, detail]) => detail !== undefined)
  const begin = `${seconds}.${String(at % second).padStart(9, "0")} ${who} ${what}`
  return [begin, ...rest.map(([name, detail]) => `${name}=${String(detail)}`)].join(" ")
}

export class EventLog {
  readonly events: Array<Event> = []
  private readonly scheduler: EventScheduler

  constructor(scheduler: EventScheduler) {
    this.scheduler = scheduler
  }

  add(who: string, what: string, details: Details = {}): void {
    this.events.push({ at: this.scheduler.now, who, what, details })
  }
}
