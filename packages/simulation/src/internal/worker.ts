/** A thread that makes histories. */
import { parentPort } from "node:worker_threads"
import { type Job, perform } from "../Simulate.ts"

parentPort?.on("message", (job: Job) => {
  parentPort?.postMessage(perform(job), [])
})
