/** The shared part of the leaders of this folder, each of which leads many elections in one process. */
import { Bytes, type Engine } from "@effect-fdb/core"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AcceleratedClock } from "./AcceleratedClock.ts"

/** The input of a leader. It calls `renewed` after each renewal. */
export interface Surroundings {
  readonly engine: Engine.Engine
  readonly clock: AcceleratedClock
  readonly elections: number
  readonly renewed: () => void
}

/** Leads the elections until the scope closes. */
export type Leader = (surroundings: Surroundings) => Effect.Effect<unknown, unknown, Scope.Scope>

/** The default configuration. */
export const leaseMillis = 10_000
export const heartbeatMillis = 3000

/** The pause before the next heartbeat, ±20 %. */
export const pauseMillis = (fraction: number): number => heartbeatMillis * (0.8 + 0.4 * fraction)

export const names = (elections: number): ReadonlyArray<string> =>
  Array.from({ length: elections }, (_, index) => `election-${index}`)

export const leaseKey = (name: string): Uint8Array => Bytes.fromString(`${name}/lease`)

/** Ballot, lease and expiry. */
export const encodeLease = (ballot: bigint, expiryMillis: number): Uint8Array => {
  const bytes = new Uint8Array(24)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, ballot)
  view.setFloat64(8, leaseMillis)
  view.setFloat64(16, expiryMillis)
  return bytes
}

export const decodeBallot = (bytes: Uint8Array | undefined): bigint =>
  bytes === undefined ? 0n : new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
