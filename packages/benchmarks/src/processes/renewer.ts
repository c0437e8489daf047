/**
 * A process that commits each of its keys in each heartbeat, without a read. On a cluster it uses the bare binding.
 */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { createRequire } from "node:module"
import { argument, type Commits, type RenewerAssignment } from "./messages.ts"
import * as Store from "./Store.ts"

const { heartbeatMillis, keys, store } = argument<RenewerAssignment>()
const value = new Uint8Array(100)

const bareCommit = (clusterFile: string | undefined) => {
  const binding = createRequire(import.meta.resolve("@effect-fdb/native"))("foundationdb")
  binding.setAPIVersion(720)
  const database = binding.open(clusterFile)
  return (key: Uint8Array) =>
    Effect.promise(() => {
      const transaction = database.rawCreateTransaction()
      transaction.set(Buffer.from(key), Buffer.from(value))
      return transaction.rawCommit()
    })
}

const commit = store.engine === "fdb"
  ? bareCommit(store.clusterFile)
  : (key: Uint8Array) => Database.transact(Transaction.use((tx) => tx.set(key, value)))

const done = { commits: 0, longest: 0, reportedAt: 0 }

const renew = Effect.fnUntraced(function*(key: Uint8Array) {
  yield* Effect.sleep(heartbeatMillis * (yield* Random.nextBetween(0.8, 1.2)))
  const begun = yield* Clock.monotonicTimeNanos
  yield* commit(key)
  const now = yield* Clock.monotonicTimeNanos
  done.commits++
  done.longest = Math.max(done.longest, Number(now - begun) / 1e6)
  if (Number(now) / 1e6 - done.reportedAt < 200) return
  const { system, user } = process.cpuUsage()
  const { commits, longest } = done
  process.send?.({ longest, commits, cpuMillis: (system + user) / 1000 } satisfies Commits)
  done.longest = 0
  done.reportedAt = Number(now) / 1e6
})

await Effect.forEach(
  Array.from({ length: keys }, (_, index) => Bytes.fromString(`renewed ${index}`)),
  (key) => Effect.forever(renew(key)),
  { concurrency: "unbounded", discard: true }
).pipe(Effect.provide(Store.layer(store)), Effect.runPromise)
