/** A background service that runs in one process at a time, as a Layer. */
import type { Database } from "@effect-fdb/core"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Candidacy from "../Candidacy.ts"
import { CandidateSuperseded, InvalidCandidate, type InvalidConfig } from "../ElectionError.ts"
import type { Leadership } from "../Leadership.ts"

const shortest = Duration.millis(100)
const longest = Duration.seconds(10)

/** After failures of the service or of the election, one soon after the other. */
const afterFailure = Schedule.exponential(shortest).pipe(
  Schedule.jittered,
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, longest)))
)

/** Whether trying again would harm: the id is another process's, or can be nobody's. A lease may yet be set above the margin. */
const isFinal = (error: unknown): boolean =>
  error instanceof CandidateSuperseded || (error instanceof InvalidCandidate && error.field !== "safetyMargin")

/** The service as it is led, and what is to be known of its failures. */
class Service<A, E, R> {
  private readonly run: (leadership: Leadership) => Effect.Effect<A, E, R>
  private failedWith: Option.Option<E> = Option.none()
  private lasted = false

  constructor(run: (leadership: Leadership) => Effect.Effect<A, E, R>) {
    this.run = run
  }

  readonly work = (leadership: Leadership): Effect.Effect<A, E, R> =>
    Effect.flatMap(
      Clock.monotonicTimeNanos,
      (begun) =>
        Effect.tapCause(this.run(leadership), (cause) =>
          Effect.map(Clock.monotonicTimeNanos, (now) => {
            this.failedWith = Cause.findErrorOption(cause)
            this.lasted = now - begun > Duration.toNanosUnsafe(longest)
          }))
    )

  /** Whether the election has refused the candidate for good. The service may use others, and fail with what they say. */
  isRefused(cause: Cause.Cause<unknown>): boolean {
    return Option.exists(
      Cause.findErrorOption(cause),
      (error) => isFinal(error) && !(Option.isSome(this.failedWith) && this.failedWith.value === error)
    )
  }

  /** Whether this failure is that of a service which had run for longer than any pause. */
  hadLasted(): boolean {
    const { lasted } = this
    this.lasted = false
    return lasted
  }
}

/** See `LeaderElection.singleton`. */
export const singleton = <A, E, R>(
  election: Candidacy.Election,
  options: Candidacy.CandidateOptions,
  service: Effect.Effect<A, E, R> | ((leadership: Leadership) => Effect.Effect<A, E, R>)
): Layer.Layer<never, InvalidCandidate | InvalidConfig, Database | Exclude<R, Scope.Scope>> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const candidacy = yield* Candidacy.make(election, options)
    const led = new Service(Effect.isEffect(service) ? () => service : service)
    yield* candidacy.withLeadership(led.work, { again: true }).pipe(
      Effect.sandbox,
      Effect.tapError((cause) => Effect.logError(`the singleton of candidate "${options.id}" has failed`, cause)),
      Effect.retry({ schedule: afterFailure, while: (cause) => !led.isRefused(cause) && !led.hadLasted() }),
      Effect.retry({ schedule: Schedule.spaced(shortest), while: (cause) => !led.isRefused(cause) }),
      Effect.ignore,
      Effect.forkScoped
    )
  }))
