/**
 * What an engine has to offer for `Database.fromEngine` to make the `Database` service of it.
 *
 * An engine knows single attempts of transactions. Retries, back-off, limits on keys and values, the refusal of use after
 * commit, spans and metrics are added once, in `Database`, the same for all engines.
 */
import type * as Effect from "effect/Effect"
import type { FdbError } from "./FdbError.ts"
import type { KeyRange } from "./KeyRange.ts"
import type { KeySelector } from "./KeySelector.ts"
import type { Mutation } from "./Mutation.ts"
import type { KeyValue } from "./Transaction.ts"

/**
 * The options of one attempt.
 *
 * @since 0.1.0
 * @category models
 */
export interface AttemptOptions {
  /** What is left of the transaction's time, in milliseconds: every operation must have settled by then, with 1031. */
  readonly timeoutMillis: number
  readonly sizeLimit: number | undefined
  readonly priority: "batch" | "default" | "system-immediate"
  readonly causalReadRisky: boolean
  readonly tag: string | undefined
}

/**
 * One page of a range.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page {
  readonly values: ReadonlyArray<KeyValue>
  /** There may be more behind the last pair. */
  readonly more: boolean
}

/**
 * How a page is read.
 *
 * @since 0.1.0
 * @category models
 */
export interface PageOptions {
  /** Zero means no limit of the caller's. */
  readonly limit: number
  readonly reverse: boolean
  readonly snapshot: boolean
  /** `all`: as much as possible at once; `page`: a page of the engine's own size. */
  readonly mode: "all" | "page"
}

/**
 * What a commit gives.
 *
 * @since 0.1.0
 * @category models
 */
export interface Committed {
  /** `-1n` when nothing was written. */
  readonly version: bigint
  /** The ten bytes; there when it was asked for and something was written. */
  readonly versionstamp: Uint8Array | undefined
}

/**
 * A watch that lives from its transaction's commit until it fires, fails or is cancelled.
 *
 * @since 0.1.0
 * @category models
 */
export interface EngineWatch {
  readonly fired: Effect.Effect<void, FdbError>
  /** Idempotent; also harmless after it has fired. Whoever awaits `fired` is failed with 1025. */
  readonly cancel: Effect.Effect<void>
}

/**
 * One attempt of a transaction.
 *
 * **Contract**
 *
 * - Reads are interruptible; what an interrupted read leaves running has ended when `dispose` has, and may hold up the commit.
 * - Reads see the mutations that were made before the read was *started*, snapshot reads too.
 * - Keys and values have been checked against the limits; ranges are not inverted.
 * - Nothing is called after `commit` has been started but `dispose`, which comes last, and always.
 * - `commit` is run uninterruptibly and must settle within the attempt's time; what it fails with is of phase `commit`.
 * - Bytes handed over are not written to afterwards by either side.
 *
 * @since 0.1.0
 * @category models
 */
export interface EngineTransaction {
  readonly readVersion: Effect.Effect<bigint, FdbError>
  readonly setReadVersion: (version: bigint) => Effect.Effect<void, FdbError>
  readonly get: (key: Uint8Array, snapshot: boolean) => Effect.Effect<Uint8Array | undefined, FdbError>
  /** The values of several keys in one wave: none is waited for before the next is asked for. */
  readonly getAll: (
    keys: ReadonlyArray<Uint8Array>,
    snapshot: boolean
  ) => Effect.Effect<ReadonlyArray<Uint8Array | undefined>, FdbError>
  readonly getKey: (selector: KeySelector, snapshot: boolean) => Effect.Effect<Uint8Array, FdbError>
  readonly getPage: (begin: KeySelector, end: KeySelector, options: PageOptions) => Effect.Effect<Page, FdbError>
  readonly mutate: (mutation: Mutation) => void
  readonly addReadConflict: (range: KeyRange) => void
  readonly addWriteConflict: (range: KeyRange) => void
  readonly watch: (key: Uint8Array) => Effect.Effect<EngineWatch, FdbError>
  /** Called before the commit when somebody wants to know its versionstamp. */
  readonly requestVersionstamp: () => void
  readonly commit: Effect.Effect<Committed, FdbError>
  /** Ends the attempt and frees what it holds; watches of a committed attempt live on. */
  readonly dispose: Effect.Effect<void>
}

/**
 * An engine.
 *
 * @since 0.1.0
 * @category models
 */
export interface Engine {
  /** What it is called in spans, metrics and errors: `memory`, `lmdb`, `foundationdb`. */
  readonly name: string
  /** The longest key in bytes; FoundationDB allows 10,000. */
  readonly maxKeyLength: number
  /** Begins an attempt. Touches neither disk nor network. */
  readonly begin: (options: AttemptOptions) => EngineTransaction
}
