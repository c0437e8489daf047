/**
 * A process that commits each of its keys three times a second, without a read, and by as little as the engine allows: on a cluster,
 * by the bare binding.
 */
import { Bytes } from "@effect-fdb/core"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { createRequire } from "node:module"
import { setTimeout } from "node:timers/promises"
import { argument, type Commits, type RenewerAssignment } from "./messages.ts"

const { heartbeatMillis, keys, store } = argument<RenewerAssignment>()
const value = new Uint8Array(100)

type Commit = (key: Uint8Array) => Promise<unknown>

const openLmdb = async (options: LmdbDatabase.Options): Promise<Commit> => {
  const engine = await Effect.runPromise(Scope.provide(LmdbDatabase.makeEngine(options), Scope.makeUnsafe()))
  return async (key) => {
    const transaction = engine.begin({
      timeoutMillis: 10_000,
      sizeLimit: undefined,
      priority: "default",
      causalReadRisky: false,
      tag: undefined
    })
    transaction.mutate({ _tag: "Set", key, value })
    await Effect.runPromise(transaction.commit)
    Effect.runSync(transaction.dispose)
  }
}

const openCluster = (clusterFile: string | undefined): Commit => {
  const binding = createRequire(import.meta.resolve("@effect-fdb/native"))("foundationdb")
  binding.setAPIVersion(720)
  const database = binding.open(clusterFile)
  return (key) => {
    const transaction = database.rawCreateTransaction()
    transaction.set(Buffer.from(key), Buffer.from(value))
    return transaction.rawCommit()
  }
}

if (store.engine === "memory") throw new Error("the memory engine has no other process")
const commit = store.engine === "fdb" ? openCluster(store.clusterFile) : await openLmdb(store)

let commits = 0
let longest = 0
let reported = 0

const report = (now: number): void => {
  const { system, user } = process.cpuUsage()
  process.send?.({ longest, commits, cpuMillis: (system + user) / 1000 } satisfies Commits)
  longest = 0
  reported = now
}

const keep = async (key: Uint8Array): Promise<never> => {
  while (true) {
    await setTimeout(heartbeatMillis * (0.8 + 0.4 * Math.random()))
    const begun = performance.now()
    await commit(key)
    const now = performance.now()
    commits++
    longest = Math.max(longest, now - begun)
    if (now - reported > 200) report(now)
  }
}

await Promise.all(Array.from({ length: keys }, (_, index) => keep(Bytes.fromString(`renewed ${index}`))))
