/** The LMDB engine of `@effect-fdb`. */
export * as ChildStdio from "./ChildStdio.ts"
export * as LmdbDatabase from "./LmdbDatabase.ts"
export {
  CannotOpen,
  type CannotOpenReason,
  type LmdbError,
  LmdbUnavailable,
  WorkerThreadUnsupported
} from "./LmdbError.ts"
