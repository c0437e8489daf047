/** The witnesses of the processes of a host, by Unix sockets. */
export * as Witness from "./Witness.ts"
export { WitnessUnavailable, WitnessUnavailableReason } from "./WitnessError.ts"
