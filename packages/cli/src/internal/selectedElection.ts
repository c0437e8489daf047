import { Database, FdbError, type Transaction } from "@effect-fdb/core"
import { type LeaderElection, NotInitialized } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import type { ElectionName } from "../ElectionName.ts"
import { type Failure, noElection, storeFailed } from "../Failure.ts"
import { describe, type Store } from "./stores.ts"

export interface SelectedElection {
  readonly name: ElectionName
  readonly store: Store
  /** The election of the name, or that of one of its slots. */
  readonly election: LeaderElection.LeaderElection
  readonly slot: number | undefined
}

export const missing = ({ name, store }: SelectedElection): Failure => {
  const remedy = "set it up with `fdb-election init`, or check --election and the flags of the store"
  return noElection(`there is no election ${name.text} in ${describe(store)}: ${remedy}`)
}

/** Adds advice to errors of the store and to that of a missing election. */
export const explain =
  (selected: SelectedElection) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, Exclude<E, FdbError | NotInitialized> | Failure, R> =>
    Effect.mapError(effect, (error) => {
      if (error instanceof NotInitialized) return missing(selected)
      return error instanceof FdbError
        ? storeFailed(
          `${describe(selected.store)} does not answer: ${error.message}; check that it is up, and try again`
        )
        : error as Exclude<E, FdbError | NotInitialized>
    })

/** Runs a transaction of a command: with a timeout, and idempotent. */
export const transact = <A, E>(body: Effect.Effect<A, E, Transaction>): Effect.Effect<A, E | FdbError, Database> =>
  Database.transact(body, { idempotent: true, timeout: "5 seconds" })
