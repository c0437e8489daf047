/** Leader elections over HTTP. */
export * as ElectionStatus from "./ElectionStatus.ts"
export * as FullStatus from "./FullStatus.ts"
