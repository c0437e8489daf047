/**
 * What has happened in a world, in the order in which it has, as canonical text: the same seed gives the same bytes.
 */
import { type EventScheduler, second } from "./EventScheduler.ts"

/** What an event may tell. */
export type Detail = string | number | bigint | boolean | undefined

/** One event. */
export interface Event {
  /** When, in nanoseconds of simulated time. */
  readonly at: number
  /** Whose it is: a process as in `p1#1`, `operator`, `sink`, `simulation`. */
  readonly who: string
  readonly what: string
  readonly details: { readonly [name: string]: Detail }
}

/** An event as its line. */
export const format = ({ at, details, what, who }: Event): string => {
  const seconds = String(Math.floor(at / second)).padStart(6, "0")
  let line = `${seconds}.${String(at % second).padStart(9, "0")} ${who} ${what}`
  for (const name of Object.keys(details)) {
    const detail = details[name]
    if (detail !== undefined) line += ` ${name}=${String(detail)}`
  }
  return line
}

export class EventLog {
  readonly events: Array<Event> = []
  private readonly scheduler: EventScheduler

  constructor(scheduler: EventScheduler) {
    this.scheduler = scheduler
  }

  add(who: string, what: string, details: Event["details"] = {}): void {
    this.events.push({ at: this.scheduler.now, who, what, details })
  }
}
