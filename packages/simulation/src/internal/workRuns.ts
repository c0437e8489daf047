/** The runs of the work of leaders. */
import type { Analysis } from "./analysis.ts"

/** All runs of the work. Instants and durations are nanoseconds. */
export const workRuns = ({ processes }: Analysis) =>
  [...processes.values()].flatMap((process) =>
    process.events.flatMap((event, index) => {
      if (event.what !== "work-begins") return []
      const { finalizer, guardTimeout, term } = event.details
      const own = process.events.slice(index).filter(({ details }) => details.term === term)
      return [{
        process,
        term: term!,
        begins: event.at,
        /** The end of the work, before its finalizers. Unset if its process ended before. */
        ends: own.find(({ what }) => what === "work-ends")?.at,
        /** The end of its finalizers. */
        ended: own.find(({ what }) => what === "work-ended")?.at,
        guardTimeout: Number(guardTimeout) * 1e9,
        finalizer: Number(finalizer) * 1e9,
        steps: own.filter(({ what }) => what === "step"),
        /** The guarded transactions that have ended. */
        guarded: own.filter(({ what }) => what === "guarded" || what === "noted")
      }]
    })
  )

export type WorkRun = ReturnType<typeof workRuns>[number]
