/**
 * The protocol: pure functions from what was read to what is to be written. No Effect, no clock, no input or output.
 *
 * Numbers in brackets are the rules of `docs/protocol.md`. All times are nanoseconds; a *monotonic* time is of the process
 * that passes it, and is never stored or compared with another process's.
 */
export * from "./appointment.ts"
export * from "./challenge.ts"
export * from "./following.ts"
export * from "./lease.ts"
export { type Claimant, isCurrent, type View } from "./records.ts"
export * from "./registration.ts"
export * from "./takeover.ts"
