// A worker thread that builds the service.
import { Effect } from "effect"
import { parentPort, workerData } from "node:worker_threads"
import { Witness } from "../../dist/index.js"

Effect.runPromise(Effect.flip(Effect.scoped(Witness.make({ directory: workerData })))).then(({ reason }) =>
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort.postMessage(reason)
)
