/** The `Database` service on the engine that the environment names. */
export * as DatabaseConfig from "./DatabaseConfig.ts"
export { EngineUnavailable } from "./EngineUnavailable.ts"
