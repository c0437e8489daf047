/**
 * How many campaigns of a process look at once at one database. Thousands that begin together would otherwise keep those that are elected
 * first from renewing in time: who waits has nothing to lose.
 */
import type { DatabaseService } from "@effect-fdb/core"
import type * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

const mostAtOnce = 64

const turns = new WeakMap<DatabaseService, Semaphore.Semaphore>()

/** Runs a round of a campaign when it is its turn. */
export const throttled = <A, E, R>(
  database: DatabaseService,
  round: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const turn = turns.get(database) ?? Semaphore.makeUnsafe(mostAtOnce)
  turns.set(database, turn)
  return turn.withPermits(1)(round)
}
