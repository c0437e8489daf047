/** What may be a candidate's id and priority. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { InvalidCandidate } from "../ElectionError.ts"

/** Leaves room for any sensible subspace within FoundationDB's 10,000 bytes of key, and within LMDB's fewer. */
const maxIdBytes = 512

const problemOf = (id: string): string | undefined => {
  if (id === "") return "is empty; give each process a name of its own"
  if (/\p{Surrogate}/u.test(id)) return "holds half of a surrogate pair and has no UTF-8 encoding"
  const bytes = Buffer.byteLength(id)
  return bytes > maxIdBytes ? `has ${bytes} bytes; ${maxIdBytes} are allowed` : undefined
}

/** Whether a candidate may have the id. */
export const isId = (id: string): boolean => problemOf(id) === undefined

/** Fails with `InvalidCandidate` unless id and priority can be stored. */
export const validate = (id: string, priority: number): Effect.Effect<void, InvalidCandidate> => {
  const problem = problemOf(id)
  if (problem !== undefined) return Effect.fail(new InvalidCandidate({ field: "id", problem }))
  return Number.isInteger(priority) && priority >= -(2 ** 31) && priority < 2 ** 31
    ? Effect.void
    : Effect.fail(
      new InvalidCandidate({ field: "priority", problem: `is ${priority}; it has to be a whole number of 32 bits` })
    )
}

/** The margin in nanoseconds; fails with `InvalidCandidate` unless it is a span of time. */
export const validateMargin = (
  margin: Duration.Input | undefined
): Effect.Effect<bigint | undefined, InvalidCandidate> => {
  if (margin === undefined) return Effect.undefined
  const duration = Option.getOrUndefined(Duration.fromInput(margin))
  return duration !== undefined && Duration.isFinite(duration) && Duration.toNanosUnsafe(duration) >= 0n
    ? Effect.succeed(Duration.toNanosUnsafe(duration))
    : Effect.fail(
      new InvalidCandidate({ field: "safetyMargin", problem: "has to be a finite span of time, and not negative" })
    )
}
