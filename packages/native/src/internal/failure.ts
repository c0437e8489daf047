/** From what the binding throws to what the engine fails with. */
import { FdbError } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import { isBindingError } from "./binding.ts"

/** The phases of `FdbError`. */
export type Phase = FdbError["phase"]

/** An error of FoundationDB keeps its code; anything else that the binding throws is a defect, here or there. */
export const fromCause = (cause: unknown, phase: Phase): Effect.Effect<never, FdbError> =>
  isBindingError(cause) ? Effect.fail(new FdbError({ code: cause.code, phase })) : Effect.die(cause)
