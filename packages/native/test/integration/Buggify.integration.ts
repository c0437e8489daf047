import { Database, Transaction } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import * as elections from "../support/elections.ts"
import { onCluster } from "./cluster.ts"

// Network options hold for a process, and each file has its own.
const layer = NativeDatabase.layer({
  network: { buggify: { sectionActivatedProbability: 100, sectionFiredProbability: 5 } }
})

onCluster("with the client's own fault injection", () => {
  it.live(
    "elections keep their promises for half a minute",
    () =>
      Effect.scoped(elections.underFaults(Effect.sleep("30 seconds"), { lease: "3 seconds", recovery: "1 minute" }))
        .pipe(
          Effect.provide(layer)
        ),
    300_000
  )

  it.live("transactions succeed all the same where they may be tried again", () =>
    Effect.forEach(
      Array.from({ length: 300 }),
      () => Database.transact(Transaction.use((tx) => tx.readVersion), { idempotent: true, timeout: "1 minute" }),
      { discard: true, concurrency: 10 }
    ).pipe(Effect.provide(layer)), 120_000)
})
