/** `/events`: Server-Sent Events. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { EventData, EventLog, SentEvent } from "../EventLog.ts"
import { type Answer, json } from "./answers.ts"

/** How many may listen, and how far each may fall behind. */
const mostListeners = 100
const mostBehind = 1000

const toText = ({ data, event, id }: SentEvent): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`

/** What is sent first: where the client may have missed events, that it has, and then the statuses as they are. */
export const eventStream = (
  log: EventLog,
  elections: ReadonlySet<string>,
  statuses: ReadonlyArray<EventData>,
  lastEventId: string | undefined
): Answer => {
  if (log.listening >= mostListeners) {
    return json(503, { error: `${mostListeners} clients listen already` }, { "retry-after": "5" })
  }
  const events = Stream.callback<string>((queue) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const missed = lastEventId === undefined ? [] : log.after(lastEventId)
        const first = [
          ...(missed ?? [...elections].map((election) => log.toEvent(undefined, "Missed", { election }))),
          ...statuses.map((status) => log.toEvent(undefined, "Status", status))
        ].filter(({ election }) => elections.has(election))
        Queue.offerUnsafe(queue, `retry: 1000\n\n${first.map(toText).join("")}`)
        return log.listen((event) => {
          if (!elections.has(event.election)) return
          // It resumes where it was.
          if (!Queue.offerUnsafe(queue, toText(event))) Queue.endUnsafe(queue)
        })
      }),
      (end) => Effect.sync(end)
    ), { bufferSize: mostBehind, strategy: "dropping" })
  return HttpServerResponse.stream(Stream.encodeText(events), {
    contentType: "text/event-stream",
    headers: { "cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff" }
  })
}
