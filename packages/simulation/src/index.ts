/** A virtual cluster with faults, and checkers of what leader election promises. */
export * as FaultyEngine from "./FaultyEngine.ts"
export { World } from "./World.ts"
