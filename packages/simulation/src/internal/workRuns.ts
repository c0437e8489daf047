/** What leaders did, work by work. */
import type { Event } from "../EventLog.ts"
import type { Analysis, ProcessRun } from "./analysis.ts"

/** One work. Instants and durations are nanoseconds. */
export interface WorkRun {
  readonly process: ProcessRun
  readonly term: bigint
  readonly begins: number
  /** When it was over but for its finalizers; never, where its process ended before. */
  readonly ends: number | undefined
  /** When its finalizers were done. */
  readonly ended: number | undefined
  /** How long its guarded writes may take. */
  readonly guardTimeout: number
  readonly finalizer: number
  readonly steps: ReadonlyArray<Event>
  /** The guarded transactions that have ended. */
  readonly guarded: ReadonlyArray<Event>
}

/** All works. */
export const workRuns = ({ processes }: Analysis): Array<WorkRun> =>
  [...processes.values()].flatMap((process) =>
    process.events.flatMap((event, index): Array<WorkRun> => {
      if (event.what !== "work-begins") return []
      const { finalizer, guardTimeout, term } = event.details
      const own = process.events.slice(index).filter(({ details }) => details.term === term)
      return [{
        process,
        term: term!,
        begins: event.at,
        ends: own.find(({ what }) => what === "work-ends")?.at,
        ended: own.find(({ what }) => what === "work-ended")?.at,
        guardTimeout: Number(guardTimeout) * 1e9,
        finalizer: Number(finalizer) * 1e9,
        steps: own.filter(({ what }) => what === "step"),
        guarded: own.filter(({ what }) => what === "guarded" || what === "noted")
      }]
    })
  )
