import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as elections from "../support/elections.ts"
import { makeSpace, persist } from "../support/space.ts"
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

  it.live(
    "transactions succeed all the same where they may be tried again, and nothing that was written is lost",
    () =>
      Effect.gen(function*() {
        const space = yield* makeSpace
        const names = Array.from({ length: 300 }, (_, index) => String(index))
        yield* Effect.forEach(
          names,
          (name) =>
            persist(
              Database.transact(
                Transaction.use((tx) =>
                  Effect.andThen(tx.get(space.pack(["shared"])), tx.set(space.pack([name]), Bytes.fromString(name)))
                ),
                { idempotent: true, timeout: "1 minute" }
              )
            ),
          { discard: true, concurrency: 10 }
        )
        const stored = yield* persist(
          Database.transact(Transaction.use((tx) => tx.getRange(space.range())), { timeout: "1 minute" })
        )
        assert.sameMembers(stored.map(({ value }) => Buffer.from(value).toString()), names)
      }).pipe(Effect.scoped, Effect.provide(layer)),
    120_000
  )
})
