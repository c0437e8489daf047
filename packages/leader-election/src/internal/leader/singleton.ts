/** A background service that runs in one process at a time, as a Layer. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { LeadOptions } from "../../CandidateOptions.ts"
import type { CampaignError, InvalidCandidate, InvalidConfig, LeadershipLost } from "../../ElectionError.ts"
import type { Leadership } from "../../Leadership.ts"
import * as Log from "../candidate/log.ts"

const shortest = Duration.millis(100)
const longest = Duration.seconds(10)

/** After failures of the service or of the election, one soon after the other. */
const afterFailure = Schedule.exponential(shortest).pipe(
  Schedule.jittered,
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, longest)))
)

/** The service as it is led, and what is to be known of its failures. */
class Service<L, A, E, R> {
  private readonly run: (leadership: L) => Effect.Effect<A, E, R>
  private lasted = false

  constructor(run: (leadership: L) => Effect.Effect<A, E, R>) {
    this.run = run
  }

  readonly work = (leadership: L): Effect.Effect<A, E, R> =>
    Effect.flatMap(
      Clock.monotonicTimeNanos,
      (begun) =>
        Effect.tapCause(this.run(leadership), () =>
          Effect.map(Clock.monotonicTimeNanos, (now) => {
            this.lasted = now - begun > Duration.toNanosUnsafe(longest)
          }))
    )

  /** Whether this failure is that of a service which had run for longer than any pause. */
  hadLasted(): boolean {
    const { lasted } = this
    this.lasted = false
    return lasted
  }
}

/** A candidacy for a leadership `L`. */
interface CandidacyOf<L> {
  readonly id: string
  readonly withLeadership: <A, E, R>(
    work: (leadership: L) => Effect.Effect<A, E, R>,
    options?: LeadOptions
  ) => Effect.Effect<A, E | CampaignError | LeadershipLost, Exclude<R, Leadership | Scope.Scope>>
}

/** See `LeaderElection.singleton`. */
export const singleton = <L, A, E, R, Requires>(
  candidacy: Effect.Effect<CandidacyOf<L>, InvalidCandidate | InvalidConfig, Requires | Scope.Scope>,
  service: Effect.Effect<A, E, R> | ((leadership: L) => Effect.Effect<A, E, R>)
): Layer.Layer<
  never,
  InvalidCandidate | InvalidConfig,
  Exclude<Requires, Scope.Scope> | Exclude<R, Leadership | Scope.Scope>
> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const { id, withLeadership } = yield* candidacy
    const led = new Service(Effect.isEffect(service) ? () => service : service)
    yield* withLeadership(led.work, { again: true }).pipe(
      Effect.sandbox,
      Effect.tapError((cause) => Log.error(`the singleton of candidate "${id}" has failed`, cause)),
      Effect.retry({ schedule: afterFailure, while: () => !led.hadLasted() }),
      Effect.retry(Schedule.spaced(shortest)),
      Effect.ignore,
      Effect.forkScoped
    )
  }))
