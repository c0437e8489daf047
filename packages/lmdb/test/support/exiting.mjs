/**
 * A process that begins a commit and then exits, whatever has become of it: `node exiting.mjs DIRECTORY`. It says "open" and
 * "committing"; it begins to commit when it is told "commit", and exits with the code that it is told.
 */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Effect from "effect/Effect"
import * as sharedEnvironments from "../../dist/internal/sharedEnvironments.js"

const [directory] = process.argv.slice(2)
const key = Bytes.fromString("key")
const commit = Database.transact(Transaction.use((tx) => tx.set(key, key)))
const told = () =>
  Effect.callback((resume) => void process.once("message", (message) => resume(Effect.succeed(message))))
process.on("disconnect", () => process.exit(1))

const program = Effect.gen(function*() {
  yield* commit
  process.on("SIGTERM", () => {})
  process.send("open")
  yield* told()
  yield* Effect.forkDetach(commit, { startImmediately: true })
  const environment = yield* sharedEnvironments.acquire(directory, { durability: "disk", access: "owner" })
  yield* Effect.repeat(Effect.sleep("1 millis"), { until: () => environment.isWriting })
  process.send("committing")
  process.exit(yield* told())
}).pipe(Effect.scoped, Effect.provide(LmdbDatabase.layer({ path: directory })))

await Effect.runPromise(program)
