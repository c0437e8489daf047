/** The works of leaders, from event to event. */
import type { Event } from "../EventLog.ts"
import type { Analysis, ProcessRun } from "./analysis.ts"

/** One work. Instants are nanoseconds of simulated time. */
interface Work {
  readonly process: ProcessRun
  readonly term: bigint
  readonly begins: number
  /** When it was over but for its finalizers; never, where its process ended before. */
  readonly ends: number | undefined
  /** When its finalizers were done. */
  readonly ended: number | undefined
  /** How long its guarded writes may take, in nanoseconds. */
  readonly guardTimeout: number
  readonly finalizer: number
  readonly steps: ReadonlyArray<Event>
  /** The guarded transactions that have ended. */
  readonly guarded: ReadonlyArray<Event>
}

const isOf = (event: Event, term: bigint): boolean => String(event.details["term"]) === String(term)

/** All works. */
export const workRuns = ({ processes }: Analysis): Array<Work> => {
  const found: Array<Work> = []
  for (const process of processes.values()) {
    process.events.forEach((event, index) => {
      if (event.what !== "work-begins") return
      const term = BigInt(String(event.details["term"]))
      const rest = process.events.slice(index)
      const own = (what: string) => rest.find((later) => later.what === what && isOf(later, term))?.at
      found.push({
        process,
        term,
        begins: event.at,
        ends: own("work-ends"),
        ended: own("work-ended"),
        guardTimeout: Number(event.details["guardTimeout"]) * 1e9,
        finalizer: Number(event.details["finalizer"]) * 1e9,
        steps: rest.filter((later) => later.what === "step" && isOf(later, term)),
        guarded: rest.filter((later) => (later.what === "guarded" || later.what === "noted") && isOf(later, term))
      })
    })
  }
  return found
}
