/** What may be a candidate's id and priority. */
import { Bytes } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { CandidateOptions } from "../../CandidateOptions.ts"
import { InvalidCandidate, InvalidTerm } from "../../ElectionError.ts"
import * as Protocol from "./protocol.ts"

/** Leaves room for any sensible subspace within FoundationDB's 10,000 bytes of key, and within LMDB's fewer. */
const maxIdBytes = 512

const problemOf = (id: string): string | undefined => {
  if (id === "") return "is empty; give each process a name of its own"
  if (/\p{Surrogate}/u.test(id)) return "holds half of a surrogate pair and has no UTF-8 encoding"
  const bytes = Bytes.fromString(id).length
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
      new InvalidCandidate({ field: "priority", problem: `is ${priority}; it must be an integer of 32 bits` })
    )
}

/** Half of what 63 bits hold: the other half is left to the renewals and claims that follow. */
const maxBallot = 2n ** 62n

/** Fails with `InvalidTerm` unless ballots can go on from there. */
export const validateBallot = (ballot: bigint): Effect.Effect<void, InvalidTerm> =>
  ballot >= 0n && ballot <= maxBallot
    ? Effect.void
    : Effect.fail(
      new InvalidTerm({ problem: `is ${ballot}; terms begin from 0 to 2^62, so that later ones have 63 bits` })
    )

/**
 * A margin that is no span of time, or a negative one, or that cannot be computed, counts as all of the lease: a claim with it is
 * refused, and a renewal with it ends the belief, which must not outlast the lease.
 */
const marginFrom =
  (margin: (leaseDuration: Duration.Duration) => Duration.Duration) => (leaseDuration: bigint): bigint => {
    const nanos = Result.try(() => Duration.toNanosUnsafe(margin(Duration.nanos(leaseDuration))))
    return Result.isSuccess(nanos) && nanos.success >= 0n ? nanos.success : leaseDuration
  }

/** The margin for a lease, both in nanoseconds; fails with `InvalidCandidate` unless what was asked for is a span of time. */
export const toMargin = (
  asked: CandidateOptions["safetyMargin"]
): Effect.Effect<(leaseDuration: bigint) => bigint, InvalidCandidate> => {
  if (asked === undefined) return Effect.succeed(Protocol.defaultMargin)
  if (typeof asked === "function") return Effect.succeed(marginFrom(asked))
  const duration = Option.getOrUndefined(Duration.fromInput(asked))
  if (duration === undefined || !Duration.isFinite(duration) || Duration.toNanosUnsafe(duration) < 0n) {
    return Effect.fail(
      new InvalidCandidate({ field: "safetyMargin", problem: "must be a finite duration, and not negative" })
    )
  }
  const margin = Duration.toNanosUnsafe(duration)
  return Effect.succeed(() => margin)
}

/** Fails with `InvalidCandidate` unless the candidate could lead under the lease: what it cannot keep it must not ask for. */
export const requireAble = (
  marginOf: (leaseDuration: bigint) => bigint,
  leaseDuration: bigint
): Effect.Effect<void, InvalidCandidate> => {
  const margin = marginOf(leaseDuration)
  return margin < leaseDuration ? Effect.void : Effect.fail(
    new InvalidCandidate({
      field: "safetyMargin",
      problem:
        `is ${Duration.format(Duration.nanos(margin))}, or not a duration; it must be below the lease, which is now ` +
        Duration.format(Duration.nanos(leaseDuration))
    })
  )
}
