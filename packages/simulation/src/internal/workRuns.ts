/** The runs of the work of leaders. */
import type { Event } from "../EventLog.ts"
import type { Analysis, ProcessRun } from "./analysis.ts"

/** One run of the work. Instants and durations are nanoseconds. */
export interface WorkRun {
  readonly process: ProcessRun
  readonly term: bigint
  readonly begins: number
  /** The end of the work, before its finalizers. Unset if its process ended before. */
  readonly ends: number | undefined
  /** The end of its finalizers. */
  readonly ended: number | undefined
  /** The timeout of its guarded writes. */
  readonly guardTimeout: number
  readonly finalizer: number
  readonly steps: ReadonlyArray<Event>
  /** The guarded transactions that have ended. */
  readonly guarded: ReadonlyArray<Event>
}

/** All runs of the work. */
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
