/** Transactions that commit only while the tenure stands (10). */
import { Bytes, FdbError, Transaction, type TransactionOptions } from "@effect-fdb/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { LeadershipLost } from "../../ElectionError.ts"
import type { Tenure } from "./tenure.ts"

/** See `Leadership.guard`. */
export const guard = <A, E, R>(
  { candidate: { database, keys }, end, record }: Tenure,
  body: Effect.Effect<A, E, R>,
  options?: TransactionOptions
): Effect.Effect<A, E | FdbError | LeadershipLost, Exclude<R, Transaction>> =>
  Effect.suspend(() => {
    const lost = Effect.flatMap(end.lost, Effect.fail)
    /** Whether an attempt may have been committed. */
    let asked = false
    const requireTenure = Effect.flatMap(Transaction, (tx) => {
      asked = tx.maybeCommitted
      return Effect.flatMap(end.check, (held) =>
        held
          ? Effect.flatMap(tx.get(keys.leader), (stored) =>
            stored !== undefined && Bytes.equals(stored, record)
              ? Effect.void
              : Effect.andThen(end.lose("replaced"), lost))
          : lost)
    })
    const guarded = Effect.tap(Effect.andThen(requireTenure, body), () =>
      Effect.sync(() => {
        asked = true
      }))
    // A stale read after a fault would end a tenure that stands.
    return database.transact(guarded, { ...options, causalReadRisky: false }).pipe(
      // The work that is interrupted with its tenure is not told any more what has become of its transaction.
      Effect.onError((cause) =>
        Effect.sync(() => {
          if (end.reason === undefined) return
          const error = Cause.findErrorOption(cause)
          const inDoubt = Option.isSome(error)
            ? error.value instanceof FdbError && error.value.maybeCommitted
            : asked
          if (inDoubt) end.guardInDoubt()
        })
      )
    )
  })
