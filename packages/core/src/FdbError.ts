/**
 * The one error of the database layer: a FoundationDB error code, and the phase in which it occurred.
 *
 * The phase decides what a code means: 1031 (timed out) in a read means that nothing was written; in a commit, the transaction
 * may have been committed, or may still be.
 */
import * as Schema from "effect/Schema"

/**
 * The phase of a transaction in which an error occurred.
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
 * The type of {@link Phase}.
 *
 * @since 0.1.0
 * @category errors
 */
export type Phase = typeof Phase.Type

/**
 * The code of a database whose files were replaced while it was open. Open the database again to continue. Only LMDB reports it.
 *
 * @since 0.1.0
 * @category constants
 */
export const databaseReplaced = 2990

/** FoundationDB's retry loop runs the transaction again. */
const retryable = { retryable: true, maybeCommitted: false }
/** The retry loop runs it again although the commit may have happened. */
const retryableMaybeCommitted = { retryable: true, maybeCommitted: true }
/** In the phase `commit`, the commit may have happened. */
const maybeCommitted = { retryable: false, maybeCommitted: true }

/** Codes by their names in FoundationDB's documentation, with their meanings and their properties for a retry loop. */
const errors = {
  timedOut: [1004, "the operation timed out"],
  transactionTooOld: [1007, "the transaction is too old to perform reads or be committed", retryable],
  futureVersion: [1009, "the read version is in the future", retryable],
  notCommitted: [1020, "the transaction conflicts with one that was committed meanwhile", retryable],
  commitUnknownResult: [1021, "the transaction may or may not have been committed", retryableMaybeCommitted],
  transactionCancelled: [1025, "the operation was cancelled", maybeCommitted],
  transactionTimedOut: [1031, "the transaction timed out", maybeCommitted],
  tooManyWatches: [1032, "too many watches are set"],
  watchesDisabled: [1034, "watches are disabled while read-your-writes is off"],
  accessedUnreadable: [1036, "the key was given a versionstamp in this transaction and cannot be read in it"],
  processBehind: [1037, "a storage server is too far behind", retryable],
  databaseLocked: [1038, "the database is locked by a maintenance operation", retryable],
  clusterVersionChanged: [
    1039,
    "the cluster was upgraded; the transaction may or may not have been committed",
    retryableMaybeCommitted
  ],
  commitProxyMemoryLimitExceeded: [1042, "commit proxies are out of memory", retryable],
  batchTransactionThrottled: [1051, "the batch priority is rate limited", retryable],
  grvProxyMemoryLimitExceeded: [1078, "the read version proxies are out of memory", retryable],
  blobGranuleRequestFailed: [1079, "a request for a blob granule failed", retryable],
  operationCancelled: [1101, "the operation was cancelled", maybeCommitted],
  tagThrottled: [1213, "the transaction's tag is throttled", retryable],
  proxyTagThrottled: [1223, "the transaction was throttled", retryable],
  platformError: [1500, "a platform error"],
  ioError: [1510, "an input or output error"],
  noClusterFileFound: [1515, "the cluster file cannot be read"],
  clientInvalidOperation: [2000, "the operation is not valid"],
  commitReadIncomplete: [2002, "the commit was read incompletely"],
  keyOutsideLegalRange: [2004, "the key is outside of the legal range"],
  invertedRange: [2005, "the range is inverted: it ends before it begins"],
  invalidOptionValue: [2006, "the value of an option is not valid"],
  readVersionAlreadySet: [2010, "the read version was set already"],
  versionInvalid: [2011, "the version is not valid"],
  rangeLimitsInvalid: [2012, "the range limits are not valid"],
  futureNotSet: [2015, "the value is known only after the commit"],
  usedDuringCommit: [2017, "the transaction was used during or after its commit"],
  invalidMutationType: [2018, "the mutation's type is not valid"],
  transactionInvalidVersion: [2020, "the versionstamp is not known, for the transaction was not committed"],
  noCommitVersion: [2021, "the transaction was read-only and has no version"],
  transactionTooLarge: [2101, "the transaction is larger than the limit"],
  keyTooLarge: [2102, "the key is longer than the limit"],
  valueTooLarge: [2103, "the value is longer than the limit"],
  connectionStringInvalid: [2104, "the cluster file's connection string is not valid"],
  unsupportedOperation: [2108, "the engine does not offer this operation"],
  apiVersionNotSupported: [2203, "the API version is not supported by the client library"],
  exactModeWithoutLimits: [2210, "the exact streaming mode needs a limit"],
  databaseReplaced: [databaseReplaced, "the database was replaced while it was open", maybeCommitted]
} satisfies Record<string, readonly [code: number, meaning: string, recovery?: typeof retryable]>

const byCode = new Map<number, readonly [code: number, meaning: string, recovery?: typeof retryable]>(
  Object.values(errors).map((error) => [error[0], error])
)

/**
 * Error codes by their names in FoundationDB's documentation.
 *
 * @since 0.1.0
 * @category constants
 */
export const codes = Object.fromEntries(Object.entries(errors).map(([name, [code]]) => [name, code])) as {
  readonly [Name in keyof typeof errors]: number
}

/**
 * A failed database operation.
 *
 * `code` is FoundationDB's on every engine, see `codes`; `detail` describes this case and says what to do.
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
  /** The failure of a later attempt, if an earlier one may have been committed. */
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    const [, meaning] = byCode.get(this.code) ?? [this.code, "an error that this version does not know by name"]
    const detail = this.detail === undefined ? "" : ` (${this.detail})`
    return `FoundationDB error ${this.code} in ${this.phase}: ${meaning}${detail}`
  }

  /** The transaction may be run again, as FoundationDB's own retry loop does. */
  get retryable(): boolean {
    return byCode.get(this.code)?.[2]?.retryable === true
  }

  /** The transaction may have been committed in spite of the error. */
  get maybeCommitted(): boolean {
    return this.phase === "commit" && byCode.get(this.code)?.[2]?.maybeCommitted === true
  }
}

/**
 * Makes an {@link FdbError}.
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
