/**
 * The FoundationDB engine of `@effect-fdb`.
 */
export { ClusterHealth, type ClusterStatus, UnknownStatus } from "./ClusterHealth.ts"
export * as NativeDatabase from "./NativeDatabase.ts"
export {
  ClientUnavailable,
  ClusterUnreachable,
  type NativeError,
  type UnavailableReason,
  WorkerThreadUnsupported
} from "./NativeError.ts"
export type { BuggifyOptions, NetworkOptions, TlsOptions, TraceOptions } from "./NetworkOptions.ts"
