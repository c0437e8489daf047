/** A background service that runs in one process at a time, as a Layer. */
import type { Database } from "@effect-fdb/core"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Candidacy from "../Candidacy.ts"
import { CandidateSuperseded, InvalidCandidate } from "../ElectionError.ts"
import type { LeaderElection } from "../LeaderElection.ts"
import type { Leadership } from "../Leadership.ts"

/** After a failure of the service or of the election: from a tenth of a second, doubled up to ten seconds. */
const afterFailure = Schedule.exponential("100 millis").pipe(
  Schedule.jittered,
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(10))))
)

/** Whether trying again would harm: the id is another process's, or can be nobody's. */
const isFinal = (cause: Cause.Cause<unknown>): boolean =>
  Option.exists(
    Cause.findErrorOption(cause),
    (error) => error instanceof CandidateSuperseded || error instanceof InvalidCandidate
  )

/** See `LeaderElection.singleton`. */
export const singleton = <A, E, R>(
  election: Pick<LeaderElection, "subspace">,
  options: Candidacy.CandidateOptions,
  service: Effect.Effect<A, E, R> | ((leadership: Leadership) => Effect.Effect<A, E, R>)
): Layer.Layer<never, InvalidCandidate, Database | R> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const candidacy = yield* Candidacy.make(election, options)
    const work = Effect.isEffect(service) ? () => service : service
    yield* candidacy.withLeadership(work, { again: true }).pipe(
      Effect.sandbox,
      Effect.tapError((cause) => Effect.logError(`the singleton of candidate "${options.id}" has failed`, cause)),
      Effect.retry({ schedule: afterFailure, while: (cause) => !isFinal(cause) }),
      Effect.ignore,
      Effect.forkScoped
    )
  }))
