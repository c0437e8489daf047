/** What the elections of one process on one database share, as long as they have one clock. */
import type { DatabaseService } from "@effect-fdb/core"
import type * as Clock from "effect/Clock"

/** Gives the same for the same database and clock, and makes it with the first of them. */
export const perDatabase = <A>(
  make: (clock: Clock.Clock) => A
): (of: { readonly database: DatabaseService; readonly clock: Clock.Clock }) => A => {
  const made = new WeakMap<DatabaseService, WeakMap<Clock.Clock, A>>()
  return ({ clock, database }) => {
    const ofDatabase = made.get(database) ?? new WeakMap<Clock.Clock, A>()
    made.set(database, ofDatabase)
    const shared = ofDatabase.get(clock) ?? make(clock)
    ofDatabase.set(clock, shared)
    return shared
  }
}
