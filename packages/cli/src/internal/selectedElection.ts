import { FdbError } from "@effect-fdb/core"
import type { SelectedElection as Selected } from "@effect-fdb/http/SelectedElection"
import { NotInitialized } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import type { ElectionName } from "../ElectionName.ts"
import { type Failure, noElection, storeFailed } from "../Failure.ts"
import { describe, type Store } from "./stores.ts"

export { transact } from "@effect-fdb/http/SelectedElection"

export interface SelectedElection extends Selected {
  readonly name: ElectionName
  readonly store: Store
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
