import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"

/** Runs a synchronous effect and returns its exit. `Effect.runSyncExit` would make a scheduler for each. */
export const runNow = <A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E> => {
  const exit = Effect.runFork(effect).pollUnsafe()
  if (exit === undefined) throw new Error("the database in memory waits for something")
  return exit
}
