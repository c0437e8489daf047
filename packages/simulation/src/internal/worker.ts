/** A thread that simulates histories, minimises scenarios and draws reports. */
import { parentPort } from "node:worker_threads"
import type { Violation } from "../Checker.ts"
import * as Checkers from "../Checkers.ts"
import { second } from "../EventScheduler.ts"
import * as Report from "../Report.ts"
import * as Shrink from "../Shrink.ts"
import * as Simulation from "../Simulation.ts"
import { type Job, perform, scenarioOf } from "./job.ts"

const tasks = {
  perform,
  shrink: ({ job, violation }: { readonly job: Job; readonly violation: Violation }) =>
    Shrink.shrink(scenarioOf(job), Shrink.breaks(violation.checker), violation.at / second),
  draw: (job: Job) => {
    const history = Simulation.run(scenarioOf(job))
    return Report.toHtml(history, Checkers.check(history))
  }
}

/** The requests to a thread. Their parameters and results are plain data. */
export type Tasks = typeof tasks

parentPort?.on("message", <Name extends keyof Tasks>({ input, name }: {
  readonly name: Name
  readonly input: Parameters<Tasks[Name]>[0]
}) => {
  const task = tasks[name] as (input: Parameters<Tasks[Name]>[0]) => ReturnType<Tasks[Name]>
  parentPort?.postMessage(task(input), [])
})
