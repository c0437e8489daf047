/** What a simulation leaves: its events, and the record of what was committed, in commit order. */
import type { KeyValue } from "@effect-fdb/core"
import { type Event, format } from "./EventLog.ts"
import type { Scenario } from "./Scenario.ts"
import type { CommitRecord } from "./SimulatedDatabase.ts"

/** See the module. Instants are nanoseconds of simulated time. */
export interface History {
  readonly scenario: Scenario
  readonly events: ReadonlyArray<Event>
  readonly record: ReadonlyArray<CommitRecord>
  /** What the database holds at the end, as it answers itself. */
  readonly stored: ReadonlyArray<KeyValue>
  readonly quietAt: number
  readonly endedAt: number
}

/** The event log as text; the same scenario gives the same bytes. */
export const toText = (history: History): string => history.events.map(format).join("\n") + "\n"
