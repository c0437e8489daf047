/** Events of the library's observer in the event log. */
import type { FdbError } from "@effect-fdb/core"
import type { ElectionEvent } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import type { EventLog } from "../EventLog.ts"
import type { SimulatedProcess } from "../SimulatedProcess.ts"

const nameOf = (error: { readonly _tag: string }): string =>
  error._tag === "FdbError" ? String((error as FdbError).code) : error._tag

const nanos = (duration: Duration.Duration): number => Number(Duration.toNanosUnsafe(duration))

/** Adds an event of the library to the log. */
export const logElectionEvent = (log: EventLog, { name }: SimulatedProcess, event: ElectionEvent): void => {
  switch (event._tag) {
    case "Registered":
      return log.add(name, "registered", {
        id: event.candidate,
        registration: event.registration.toString(),
        again: event.again
      })
    case "Following":
      return log.add(name, "following", { leader: event.leader, term: event.term })
    case "Superseded":
      return log.add(name, "superseded")
    case "Challenged":
      return log.add(name, "challenged", { term: event.term })
    case "Elected":
      return log.add(name, "elected", {
        term: event.term,
        cause: event.cause,
        leaderless: nanos(event.leaderless),
        until: Number(event.believesUntil)
      })
    case "Shortened":
      return log.add(name, "shortened", {
        term: event.term,
        duration: nanos(event.leaseDuration),
        until: Number(event.believesUntil)
      })
    case "Renewed":
      return log.add(name, "renewed", {
        term: event.term,
        ballot: event.ballot,
        path: event.path,
        latency: nanos(event.latency),
        until: Number(event.believesUntil)
      })
    case "RenewalFailed":
      return log.add(name, "renewal-failed", { term: event.term, path: event.path, error: nameOf(event.error) })
    case "Lost":
      return log.add(name, "lost", { term: event.term, reason: event.reason })
    case "Overrun":
      return log.add(name, "overrun", { term: event.term })
    case "Resigned":
      return log.add(name, "resigned", { term: event.term })
    case "Evicted":
      return log.add(name, "evicted", { term: event.term, candidates: event.candidates.join(" ") })
    case "Retried":
      return log.add(name, "retried", { error: nameOf(event.error) })
  }
}
