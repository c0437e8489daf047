/** A subspace of a test's own, which is empty again afterwards. */
import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"

/** A random subspace, cleared when the scope is closed. */
export const makeSpace = Effect.acquireRelease(
  Effect.sync(() => Subspace.fromTuple(["effect-fdb-test", randomUUID()])),
  (space) =>
    Effect.orDie(
      Database.transact(Transaction.use((tx) => tx.clearRange(space.range())), {
        idempotent: true,
        timeout: "1 minute"
      })
    )
)
