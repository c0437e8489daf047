/** Events on standard error, as lines of JSON. */
import * as EventJson from "@effect-fdb/http/EventJson"
import type { ElectionEvent } from "@effect-fdb/leader-election"
import { toLine } from "./messages.ts"

/** The election of an event by its name, and what of it the event is of. */
export interface EventPart {
  readonly election: string
  readonly slot?: number
  readonly shard?: number
  readonly coordinator?: true
}

/** An event as a line of JSON. */
export const eventLine = (millis: number, event: ElectionEvent, part: EventPart): string =>
  toLine(millis, { ...EventJson.toJson(event), ...part })
