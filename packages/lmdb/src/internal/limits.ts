/** The size from which a commit is large, and the sizes of the portions in which it is processed. */
import * as Context from "effect/Context"

export interface Limits {
  /** A commit with more keys, or more bytes before or after it, is large. A smaller one is prepared without a pause. */
  readonly keys: number
  readonly bytes: number
  /** The approximate size of a chunk in the log. */
  readonly chunkBytes: number
  /** The longest time for which the work blocks the event loop. */
  readonly sliceMillis: number
  /** The number of times that others overtake a large commit before it reserves its turn. */
  readonly triesBeforeReservation: number
}

/** Tests set lower limits, so that every commit is large. */
export const Limits: Context.Reference<Limits> = Context.Reference<Limits>("@effect-fdb/lmdb/internal/limits", {
  defaultValue: () => ({ keys: 500, bytes: 1_000_000, chunkBytes: 65_536, sliceMillis: 10, triesBeforeReservation: 2 })
})
