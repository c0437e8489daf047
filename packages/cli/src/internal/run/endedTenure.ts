/**
 * What has to be known to end the tenure of a wrapper that has died, once its command has ended. The watchdog process passes it to
 * `endTenure.ts`.
 */
import { type Subspace, Testimony } from "@effect-fdb/core"
import type { Leadership } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import type { SelectedElection } from "../selectedElection.ts"
import type { Store } from "../stores.ts"
import * as Nesting from "./nesting.ts"

export interface EndedTenure {
  /** The process that leads. Whoever starts while that dies cannot ask who started it. */
  readonly wrapper: number
  readonly store: Store
  /** The candidate that leads. */
  readonly candidate: Testimony.Testimony
  /** What each process of the command has in its environment. */
  readonly mark: string
}

/** The tenure of this process. */
export const of = (
  { name, store }: SelectedElection,
  subspace: Subspace.Subspace,
  leadership: Leadership
): Effect.Effect<EndedTenure> =>
  Effect.map(leadership.state, ({ leaderId, registration }) => ({
    wrapper: process.pid,
    store,
    candidate: Testimony.make(Testimony.ofSubspace(subspace), leaderId, registration),
    mark: Nesting.ownEntry(store, name.text)
  }))
