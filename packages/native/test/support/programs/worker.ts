/** Builds the layer in a worker thread, then in the main thread; prints what became of both. */
import { Database, Transaction } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { Effect } from "effect"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { isMainThread, parentPort, Worker } from "node:worker_threads"

const readVersion = Database.transact(Effect.flatMap(Transaction, (tx) => tx.readVersion)).pipe(
  Effect.provide(NativeDatabase.layer()),
  Effect.match({ onFailure: (error) => error._tag, onSuccess: (version) => typeof version })
)

const result = await Effect.runPromise(readVersion)
if (isMainThread) {
  const worker = new Worker(fileURLToPath(import.meta.url))
  const [inWorker] = await once(worker, "message")
  await once(worker, "exit")
  console.log(JSON.stringify([inWorker, result, await Effect.runPromise(readVersion)]))
} else {
  parentPort!.postMessage(result, [])
}
