/**
 * The interface of an engine. `Database.fromEngine` makes a database from it.
 *
 * An engine runs single attempts of transactions. `Database` adds retries, back-off, the limits on keys and values, the refusal of
 * use after the commit, spans and metrics.
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
  /** The remaining time in milliseconds. Every operation settles within it, if need be with 1031. */
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
  /** Whether there may be pairs after the last one. */
  readonly more: boolean
}

/**
 * The options of a page read.
 *
 * @since 0.1.0
 * @category models
 */
export interface PageOptions {
  /** The maximum number of pairs; zero means no limit. */
  readonly limit: number
  readonly reverse: boolean
  readonly snapshot: boolean
  /** `all` reads as much as possible at once, `page` a page of the engine's own size. */
  readonly mode: "all" | "page"
}

/**
 * The result of a commit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Committed {
  /** `-1n` if nothing was written. */
  readonly version: bigint
  /** The ten bytes, if they were requested and something was written. */
  readonly versionstamp: Uint8Array | undefined
}

/**
 * A watch. It lives from its transaction's commit until it fires, fails or is cancelled.
 *
 * @since 0.1.0
 * @category models
 */
export interface EngineWatch {
  readonly fired: Effect.Effect<void, FdbError>
  /** Fails `fired` with 1025 unless it has fired. Idempotent. */
  readonly cancel: Effect.Effect<void>
}

/**
 * One attempt of a transaction.
 *
 * - Reads are interruptible. `dispose` waits for the operations that an interrupted read has left running; `commit` may wait.
 * - Reads, snapshot reads too, see the mutations that were made before the read *started*.
 * - The caller has checked keys and values against the limits; ranges are not inverted.
 * - After the start of `commit` only `dispose` is called, which always comes last.
 * - `commit` runs uninterruptibly and settles within the attempt's time. It fails with errors of phase `commit`.
 * - Neither side writes to bytes after it has handed them over.
 *
 * @since 0.1.0
 * @category models
 */
export interface EngineTransaction {
  readonly readVersion: Effect.Effect<bigint, FdbError>
  readonly setReadVersion: (version: bigint) => Effect.Effect<void, FdbError>
  readonly get: (key: Uint8Array, snapshot: boolean) => Effect.Effect<Uint8Array | undefined, FdbError>
  /** Reads several keys at once: no read waits for another. */
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
  /** Called before the commit to request its versionstamp. */
  readonly requestVersionstamp: () => void
  readonly commit: Effect.Effect<Committed, FdbError>
  /** Ends the attempt and frees its resources. The watches of a committed attempt continue. */
  readonly dispose: Effect.Effect<void>
}

/**
 * An engine.
 *
 * @since 0.1.0
 * @category models
 */
export interface Engine {
  /** Its name in spans, metrics and errors: `memory`, `lmdb`, `foundationdb`. */
  readonly name: string
  /** The maximum length of a key in bytes, at most 10,000. */
  readonly maxKeyLength: number
  /** Begins an attempt. Touches neither disk nor network. */
  readonly begin: (options: AttemptOptions) => EngineTransaction
}
