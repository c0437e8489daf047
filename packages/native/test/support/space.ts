/** A subspace of a test's own, which is empty again afterwards. */
import { Database, type FdbError, Subspace, Transaction } from "@effect-fdb/core"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"

/** Runs again what may be committed twice: with its own fault injection the client lets commits time out long before their time. */
export const persist = <A, E, R>(effect: Effect.Effect<A, E | FdbError, R>): Effect.Effect<A, E | FdbError, R> =>
  Effect.retry(effect, {
    times: 20,
    while: (error) => typeof error === "object" && error !== null && "code" in error && error.code === 1031
  })

/** A random subspace, cleared when the scope is closed. */
export const makeSpace = Effect.acquireRelease(
  Effect.sync(() => Subspace.fromTuple(["effect-fdb-test", randomUUID()])),
  (space) =>
    Database.transact(Transaction.use((tx) => tx.clearRange(space.range())), {
      idempotent: true,
      timeout: "1 minute"
    }).pipe(persist, Effect.orDie)
)
