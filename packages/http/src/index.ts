/** Leader elections over HTTP. */
export * as ElectionHttp from "./ElectionHttp.ts"
export * as ElectionStatus from "./ElectionStatus.ts"
export * as EventJson from "./EventJson.ts"
export * as EventLog from "./EventLog.ts"
export * as FullStatus from "./FullStatus.ts"
export * as TenureJson from "./TenureJson.ts"
