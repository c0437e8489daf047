/** The candidates as this process saw them when it last led: it evicts those that have not shown themselves since (12). */
import * as Protocol from "../protocol/protocol.ts"
import type { CandidateEntry } from "../storage/reads.ts"

/** Candidates as they were seen once. */
export interface Sighting {
  readonly candidates: ReadonlyArray<CandidateEntry>
  /** Where those to be looked at next begin; from the first on where that is not known. */
  readonly next: Uint8Array | undefined
  /** When all of them had been seen, on the monotonic clock. */
  readonly at: bigint
  /** The candidate timeout that was in force. */
  readonly timeout: bigint
}

/** When whoever has not shown itself since may be evicted. */
export const dueAt = ({ at, timeout }: Sighting): bigint => at + Protocol.evictionDelay(timeout)

/** Kept from one tenure to the next. */
export class Sightings {
  private kept: Sighting | undefined = undefined

  get last(): Sighting | undefined {
    return this.kept
  }

  keep(sighting: Sighting | undefined): void {
    this.kept = sighting
  }
}
