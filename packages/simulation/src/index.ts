/** A virtual cluster with faults, and checkers of what leader election promises. */
export * as Checkers from "./Checkers.ts"
export * as FaultyEngine from "./FaultyEngine.ts"
export * as History from "./History.ts"
export * as Profile from "./Profile.ts"
export * as Simulation from "./Simulation.ts"
export { World } from "./World.ts"
