/**
 * Transactions with the semantics of FoundationDB, for Effect: the services, the tuple layer, and an engine in memory.
 */
export * as Atomic from "./Atomic.ts"
export * as Bytes from "./Bytes.ts"
export { Database, type DatabaseService } from "./Database.ts"
export type * as Engine from "./Engine.ts"
export { FdbError } from "./FdbError.ts"
export * as InstrumentedEngine from "./InstrumentedEngine.ts"
export * as KeyRange from "./KeyRange.ts"
export * as KeySelector from "./KeySelector.ts"
export * as MemoryDatabase from "./MemoryDatabase.ts"
export type { AtomicOp, Mutation } from "./Mutation.ts"
export * as OptimisticEngine from "./OptimisticEngine.ts"
export * as Subspace from "./Subspace.ts"
export * as Testimony from "./Testimony.ts"
export {
  type KeyValue,
  type Range,
  type RangeOptions,
  type Reads,
  Transaction,
  type TransactionService,
  type Values
} from "./Transaction.ts"
export type { TransactionOptions } from "./TransactionOptions.ts"
export * as Tuple from "./Tuple.ts"
export * as VersionedStore from "./VersionedStore.ts"
export * as Versionstamp from "./Versionstamp.ts"
export { Witness, type WitnessService } from "./Witness.ts"
