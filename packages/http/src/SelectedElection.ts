/** An election to read, and the transactions that read it. */
import { Database, type FdbError, type Subspace, type Transaction } from "@effect-fdb/core"
import type { LeaderElection } from "@effect-fdb/leader-election"
import type * as Effect from "effect/Effect"

/**
 * An election, or one of its slots, under a name.
 *
 * @since 0.1.0
 * @category models
 */
export interface SelectedElection {
  readonly name: {
    readonly text: string
    /** The subspace of the election, its slots and its shards. */
    readonly subspace: Subspace.Subspace
  }
  /** The election of the name, or that of one of its slots. */
  readonly election: LeaderElection.LeaderElection
  /** The slot, if the election is that of one. */
  readonly slot: number | undefined
}

/**
 * Runs a transaction for an operator: idempotent, with a timeout of five seconds.
 *
 * @since 0.1.0
 * @category operations
 */
export const transact = <A, E>(body: Effect.Effect<A, E, Transaction>): Effect.Effect<A, E | FdbError, Database> =>
  Database.transact(body, { idempotent: true, timeout: "5 seconds" })
