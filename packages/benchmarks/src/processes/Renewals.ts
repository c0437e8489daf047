/** The process of `renewer.ts`, which is killed when the scope closes. */
import * as Effect from "effect/Effect"
import { type Commits, type RenewerAssignment, start } from "./messages.ts"

/** Starts it, and waits for its first report. The returned list grows with each report. */
export const begin = (assignment: RenewerAssignment) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly reports: Array<Commits>; readonly kill: () => void }>((resume) => {
      const child = start("renewer.js", assignment)
      const begun = { reports: [] as Array<Commits>, kill: () => void child.kill("SIGKILL") }
      child.on("message", (report: Commits) => {
        begun.reports.push(report)
        resume(Effect.succeed(begun))
      })
    }),
    ({ kill }) => Effect.sync(kill)
  ).pipe(Effect.map(({ reports }) => reports))
