/** The registrations of one process in the elections of all slots: in one transaction, so that all have them in the same order. */
import type { FdbError } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import { ElectionConfig } from "../../ElectionConfig.ts"
import type { Candidate } from "../candidate/candidate.ts"
import type { Registering } from "../candidate/registration.ts"
import * as Writes from "../storage/writes.ts"

/** What came of the registration of a candidate: nothing, where its own campaign is to find out why. */
type Outcome = Registering | "missing" | undefined

const writeAll = (candidates: ReadonlyArray<Candidate>) =>
  Effect.forEach(candidates, ({ registration }) =>
    Effect.matchEffect(registration.writeIfFree, {
      onSuccess: (registering): Effect.Effect<Outcome, FdbError> => Effect.succeed(registering),
      onFailure: (error): Effect.Effect<Outcome, FdbError> =>
        error._tag === "FdbError"
          ? Effect.fail(error)
          : Effect.succeed(error._tag === "NotInitialized" ? "missing" : undefined)
    }), { concurrency: "unbounded" })

/** Registers those that can be, and gives those whose elections do not exist. */
const register = (candidates: ReadonlyArray<Candidate>): Effect.Effect<ReadonlyArray<Candidate>, FdbError> =>
  Effect.suspend(() => {
    const [{ contact, database }] = candidates as readonly [Candidate, ...ReadonlyArray<Candidate>]
    let written: ReadonlyArray<Outcome> = []
    const own = Effect.suspend(() =>
      Effect.forEach(written, (outcome) => typeof outcome === "object" ? outcome.own : Effect.void, { discard: true })
    )
    const body = Effect.map(writeAll(candidates), (outcomes) => {
      written = outcomes
    })
    return database.transact(body, { idempotent: true, timeout: contact.growingTimeout }).pipe(
      Effect.andThen(own),
      // One that was interrupted after its commit is its own all the same.
      Effect.onInterrupt(() => Effect.ignore(own)),
      Effect.andThen(
        Effect.suspend(() =>
          Effect.forEach(written, (outcome) => typeof outcome === "object" ? outcome.tell : Effect.void, {
            discard: true
          })
        )
      ),
      Effect.map(() => candidates.filter((_, i) => written[i] === "missing"))
    )
  })

/** Sets elections up, with what their candidates were given. */
const setUp = (candidates: ReadonlyArray<Candidate>) => {
  const [{ contact, database }] = candidates as readonly [Candidate, ...ReadonlyArray<Candidate>]
  const body = Effect.forEach(
    candidates,
    ({ config = new ElectionConfig({}), keys }) => Writes.initialize(keys, config),
    { concurrency: "unbounded", discard: true }
  )
  return database.transact(body, { idempotent: true, timeout: contact.transactionTimeout })
}

/**
 * Registers all candidates that can be, and sets up the elections that they have never seen. What keeps one from being registered, or the
 * database from answering, is left to the campaigns.
 */
export const registerJointly = (candidates: ReadonlyArray<Candidate>): Effect.Effect<void> =>
  Effect.ignore(Effect.gen(function*() {
    const missing = (yield* register(candidates)).filter(({ contact }) => !contact.hasAnswered)
    if (missing.length === 0) return
    yield* setUp(missing)
    yield* register(missing)
  }))
