/**
 * The database runs transactions. A program uses this service, and chooses the engine by a layer: `MemoryDatabase.layer`,
 * `LmdbDatabase.layer`, `NativeDatabase.layer`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Engine } from "./Engine.ts"
import type { FdbError } from "./FdbError.ts"
import * as retry from "./internal/retry.ts"
import type { Transaction } from "./Transaction.ts"
import type { TransactionOptions } from "./TransactionOptions.ts"

/**
 * The operations of a database.
 *
 * @since 0.1.0
 * @category models
 */
export interface DatabaseService {
  /** The engine's name, for messages and metrics. */
  readonly engine: string
  /** See {@link Database.transact}. */
  readonly transact: <A, E, R>(
    body: Effect.Effect<A, E, R>,
    options?: TransactionOptions
  ) => Effect.Effect<A, E | FdbError, Exclude<R, Transaction>>
}

/**
 * The database service; see the module.
 *
 * **Example**
 *
 * ```ts
 * import { Database, MemoryDatabase, Subspace, Transaction, Tuple } from "@effect-fdb/core"
 * import { Effect } from "effect"
 *
 * const jobs = Subspace.fromTuple(["jobs"])
 *
 * const submit = (job: string) => Database.transact(Transaction.use((tx) => tx.set(jobs.pack([job]), Tuple.pack([]))))
 *
 * export const main = Effect.provide(submit("report"), MemoryDatabase.layer)
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class Database extends Context.Service<Database, DatabaseService>()("@effect-fdb/core/Database") {
  /**
   * Runs `body` in a transaction and commits it.
   *
   * **Details**
   *
   * - A retryable error of the transaction, such as a conflict, runs the body again from its start, after FoundationDB's
   *   back-off. So the body must have no effect but on the transaction.
   * - A failure of the body's own is not retried. It means that nothing was written.
   * - An unknown commit result is retried only with `idempotent`; otherwise it is an `FdbError` with `maybeCommitted`. Once an
   *   attempt may have been committed, every later failure is such an error, the body's own too, which becomes its `cause`.
   *   `Transaction.maybeCommitted` tells the body.
   * - Everything but the commit is interruptible, and `timeout` bounds the commit. After an interruption or a defect, an earlier
   *   attempt may have been committed.
   * - A transaction inside another is a transaction of its own.
   *
   * **Example**
   *
   * ```ts
   * import { Database, Subspace, Transaction } from "@effect-fdb/core"
   * import { Effect } from "effect"
   *
   * const counter = Subspace.fromTuple(["counter"]).pack([])
   *
   * const increment = Effect.gen(function*() {
   *   const tx = yield* Transaction
   *   const count = (yield* tx.get(counter))?.[0] ?? 0
   *   yield* tx.set(counter, Uint8Array.of(count + 1))
   *   return count + 1
   * })
   *
   * export const main = Database.transact(increment, { timeout: "2 seconds", idempotent: false })
   * ```
   */
  static readonly transact: {
    <A, E, R>(
      body: Effect.Effect<A, E, R>,
      options?: TransactionOptions
    ): Effect.Effect<A, E | FdbError, Database | Exclude<R, Transaction>>
    (options: TransactionOptions): <A, E, R>(
      body: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | FdbError, Database | Exclude<R, Transaction>>
  } =
    ((first: TransactionOptions | Effect.Effect<unknown, unknown, unknown>, options?: TransactionOptions) =>
      Effect.isEffect(first)
        ? Effect.flatMap(Database, (database) => database.transact(first, options))
        : (body: Effect.Effect<unknown, unknown, unknown>) => Database.transact(body, first)) as never

  /** Makes the service of an engine. */
  static readonly fromEngine = (engine: Engine): DatabaseService => ({
    engine: engine.name,
    transact: (body, options = {}) => retry.transact(engine, body, options)
  })
}
