/**
 * Leader election on FoundationDB, for Effect.
 */
export * as Candidacy from "./Candidacy.ts"
export { CandidateInfo } from "./CandidateInfo.ts"
export { Challenge } from "./Challenge.ts"
export { ElectionConfig } from "./ElectionConfig.ts"
export * from "./ElectionError.ts"
export { ElectionEvent } from "./ElectionEvent.ts"
export { ElectionExport } from "./ElectionExport.ts"
export { ElectionObserver } from "./ElectionObserver.ts"
export * as ElectionResult from "./ElectionResult.ts"
export { HistoryEntry } from "./HistoryEntry.ts"
export * as LeaderElection from "./LeaderElection.ts"
export { Leadership } from "./Leadership.ts"
export { LeaderState } from "./LeaderState.ts"
export { ElectionCause, LossReason, RecordedReason } from "./LossReason.ts"
export * as Shards from "./Shards.ts"
export * as Slots from "./Slots.ts"
