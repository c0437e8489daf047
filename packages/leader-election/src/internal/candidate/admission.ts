/** Whether a candidate may do what the protocol allows: one of several elections that wants to lead one of them only may have to wait. */
import * as Effect from "effect/Effect"
import type * as Protocol from "../protocol/protocol.ts"

export interface Admission {
  /** What a look does instead of `step`. The look may be made again, or not be committed. */
  readonly admit: (step: Protocol.Step, view: Protocol.View, memory: Protocol.Memory) => Protocol.Step
  /** A look was committed in which the candidate has claimed nothing. */
  readonly followed: (step: Protocol.Step, view: Protocol.View) => Effect.Effect<void>
}

/** Of a candidate in one election. */
export const unconditional: Admission = { admit: (step) => step, followed: () => Effect.void }
