/**
 * The one error of the database layer: a FoundationDB error code and where it struck.
 *
 * The code tells what happened; the *phase* tells what that means. `1031` (timed out) in a read means that nothing was
 * written, `1031` in a commit that the transaction may have been committed, or may still be.
 */
import * as Schema from "effect/Schema"

/**
 * Where in the life of a transaction an error struck.
 *
 * - `read`: a read, a key selector, or the read version
 * - `write`: a mutation or a conflict range was refused before anything left the process
 * - `commit`: the commit itself
 * - `watch`: a watch, after its transaction was committed
 *
 * @since 0.1.0
 * @category errors
 */
export const Phase = Schema.Literals(["read", "write", "commit", "watch"])

/**
 * See {@link Phase}.
 *
 * @since 0.1.0
 * @category errors
 */
export type Phase = typeof Phase.Type

/**
 * The code of a database that was replaced while it was open: its files are not the ones at its path any more. Nothing that is
 * open can be used again; whoever wants to go on opens the database anew. FoundationDB has no such code.
 *
 * @since 0.1.0
 * @category constants
 */
export const databaseReplaced = 2990

/** What an error code means, as FoundationDB documents it. */
const meanings: ReadonlyMap<number, string> = new Map([
  [1004, "the operation timed out"],
  [1007, "the transaction is too old to perform reads or be committed"],
  [1009, "the read version is in the future"],
  [1020, "the transaction conflicts with one that was committed meanwhile"],
  [1021, "the transaction may or may not have been committed"],
  [1025, "the operation was cancelled"],
  [1031, "the transaction timed out"],
  [1032, "too many watches are set"],
  [1034, "watches are disabled while read-your-writes is off"],
  [1036, "the key was given a versionstamp in this transaction and cannot be read in it"],
  [1037, "a storage server is too far behind"],
  [1038, "the database is locked by a maintenance operation"],
  [1039, "the cluster was upgraded; the transaction may or may not have been committed"],
  [1042, "commit proxies are out of memory"],
  [1051, "the batch priority is rate limited"],
  [1078, "the read version proxies are out of memory"],
  [1079, "a request for a blob granule failed"],
  [1101, "the operation was cancelled"],
  [1213, "the transaction's tag is throttled"],
  [1223, "the transaction was throttled"],
  [1500, "a platform error"],
  [1510, "an input or output error"],
  [1515, "the cluster file cannot be read"],
  [2000, "the operation is not valid"],
  [2002, "the commit was read incompletely"],
  [2004, "the key is outside of the legal range"],
  [2005, "the range is inverted: it ends before it begins"],
  [2006, "the value of an option is not valid"],
  [2010, "the read version was set already"],
  [2011, "the version is not valid"],
  [2012, "the range limits are not valid"],
  [2015, "the value is known only after the commit"],
  [2017, "the transaction was used during or after its commit"],
  [2018, "the mutation's type is not valid"],
  [2020, "the versionstamp is not known, for the transaction was not committed"],
  [2021, "the transaction was read-only and has no version"],
  [2101, "the transaction is larger than the limit"],
  [2102, "the key is longer than the limit"],
  [2103, "the value is longer than the limit"],
  [2104, "the cluster file's connection string is not valid"],
  [2108, "the engine does not offer this operation"],
  [2203, "the API version is not supported by the client library"],
  [2210, "the exact streaming mode needs a limit"],
  [databaseReplaced, "the database was replaced while it was open"]
])

const retryableNotCommitted: ReadonlySet<number> = new Set([
  1007,
  1009,
  1020,
  1037,
  1038,
  1042,
  1051,
  1078,
  1079,
  1213,
  1223
])
const retryableMaybeCommitted: ReadonlySet<number> = new Set([1021, 1039])
const maybeCommittedInCommit: ReadonlySet<number> = new Set([1025, 1031, 1101, databaseReplaced])

/**
 * A failed database operation.
 *
 * **Details**
 *
 * - `code`: FoundationDB's error code, the same on every engine; and {@link databaseReplaced}, which only LMDB has
 * - `phase`: where it struck, see {@link Phase}
 * - `detail`: what is wrong in this very case and what to do, where there is more to say than the code says
 *
 * **Example**
 *
 * ```ts
 * import { Database, Transaction } from "@effect-fdb/core"
 * import { Effect } from "effect"
 *
 * const write = Database.transact(Transaction.use((tx) => tx.set(Uint8Array.of(1), Uint8Array.of(2))))
 *
 * export const main = write.pipe(
 *   Effect.catchTag("FdbError", (error) =>
 *     error.maybeCommitted ? Effect.logWarning("perhaps written") : Effect.logError("not written", error))
 * )
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class FdbError extends Schema.TaggedError<FdbError>()("FdbError", {
  code: Schema.Int,
  phase: Phase,
  detail: Schema.optionalKey(Schema.String),
  /** What a later attempt has failed with, where an earlier one may have been committed: an error of the body's own, say. */
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    const meaning = meanings.get(this.code) ?? "an error that this version does not know by name"
    return `FoundationDB error ${this.code} in ${this.phase}: ${meaning}${
      this.detail === undefined ? "" : ` (${this.detail})`
    }`
  }

  /** The whole transaction may be tried again: FoundationDB's own retry loop would. */
  get retryable(): boolean {
    return retryableNotCommitted.has(this.code) || retryableMaybeCommitted.has(this.code)
  }

  /** The transaction may have been committed in spite of the error. */
  get maybeCommitted(): boolean {
    return this.phase === "commit" &&
      (retryableMaybeCommitted.has(this.code) || maybeCommittedInCommit.has(this.code))
  }
}

/**
 * Builds an {@link FdbError}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (code: number, phase: Phase, detail?: string, cause?: unknown): FdbError =>
  new FdbError({
    code,
    phase,
    ...(detail === undefined ? {} : { detail }),
    ...(cause === undefined ? {} : { cause })
  })
