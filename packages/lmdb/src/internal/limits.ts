/** From where on a commit is a large one, and in what portions it is dealt with. */
import * as Context from "effect/Context"

export interface Limits {
  /** As many keys, and bytes before or after it, a commit may have that is prepared at once, without a pause for the event loop. */
  readonly keys: number
  readonly bytes: number
  /** How many bytes a chunk in the log has, about. */
  readonly chunkBytes: number
  /** How long the event loop is held at a time. */
  readonly sliceMillis: number
  /** How often others overtake a large commit until it reserves its turn. */
  readonly triesBeforeReservation: number
}

/** Tests have others, so that each commit is a large one. */
export const Limits: Context.Reference<Limits> = Context.Reference<Limits>("@effect-fdb/lmdb/internal/limits", {
  defaultValue: () => ({ keys: 500, bytes: 1_000_000, chunkBytes: 65_536, sliceMillis: 10, triesBeforeReservation: 2 })
})
