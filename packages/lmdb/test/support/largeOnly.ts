/** Limits by which each commit is a large one, and is interrupted wherever one can be. */
import { Layer } from "effect"
import { Limits } from "../../src/internal/limits.ts"

export const largeOnly = (triesBeforeReservation: number): Layer.Layer<never> =>
  Layer.succeed(Limits, { keys: 0, bytes: 0, chunkBytes: 20, sliceMillis: 0, triesBeforeReservation })
