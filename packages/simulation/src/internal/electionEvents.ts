/** The events of the library's observer in the log: `RenewalFailed` is `renewal-failed`. */
import type { FdbError } from "@effect-fdb/core"
import type { ElectionEvent } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import type { Details, EventLog } from "../EventLog.ts"

const nameOf = (error: { readonly _tag: string }): string =>
  error._tag === "FdbError" ? String((error as FdbError).code) : error._tag

const nanos = (duration: Duration.Duration): number => Number(Duration.toNanosUnsafe(duration))

type Tag = ElectionEvent["_tag"]

/** The details of each event in the log. */
const detailsOf: { readonly [tag in Tag]: (event: Extract<ElectionEvent, { readonly _tag: tag }>) => Details } = {
  Registered: ({ again, candidate: id, registration }) => ({ id, registration: registration.toString(), again }),
  Superseded: () => ({}),
  ConfigDiffers: () => ({}),
  Following: ({ leader, term }) => ({ leader, term }),
  Challenged: ({ term }) => ({ term }),
  Elected: ({ ballot, believesUntil: until, cause, leaderless, term }) => {
    return { term, ballot, cause, leaderless: nanos(leaderless), until: Number(until) }
  },
  Shortened: ({ believesUntil: until, leaseDuration, term }) => {
    return { term, duration: nanos(leaseDuration), until: Number(until) }
  },
  Renewed: ({ ballot, believesUntil: until, latency, path, term }) => {
    return { term, ballot, path, latency: nanos(latency), until: Number(until) }
  },
  RenewalFailed: ({ error, path, term }) => ({ term, path, error: nameOf(error) }),
  Lost: ({ reason, term }) => ({ term, reason }),
  Overrun: ({ term }) => ({ term }),
  Resigned: ({ term }) => ({ term }),
  Evicted: ({ candidates, term }) => ({ term, candidates: candidates.join(" ") }),
  Retried: ({ error }) => ({ error: nameOf(error) })
}

/** Adds an event of a process to the log. */
export const logElectionEvent = (log: EventLog, process: string, event: ElectionEvent, isNamed: boolean): void => {
  const details = detailsOf[event._tag] as (event: ElectionEvent) => Details
  const election = isNamed ? event.election : undefined
  log.add(process, event._tag.replaceAll(/\B[A-Z]/g, "-$&").toLowerCase(), { election, ...details(event) })
}
