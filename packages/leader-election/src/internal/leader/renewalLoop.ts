/** When a leader renews: at the pace of its heartbeat, woken early by its watches. How: `renewal.ts`. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ClockOutOfRange, StoreError } from "../../ElectionError.ts"
import { isTransient } from "../candidate/contact.ts"
import * as Pacing from "../candidate/pacing.ts"
import type { Watches } from "../candidate/watches.ts"
import type { Refusal } from "../protocol/lossTraits.ts"
import { finishElection, type Outcome, type Renewed, renewFast, renewFully } from "./renewal.ts"
import type { Tenure } from "./tenure.ts"

type Path = "fast" | "full"

class RenewalLoop {
  private readonly tenure: Tenure
  private readonly watches: Watches
  private failures = 0

  constructor(tenure: Tenure, watches: Watches) {
    this.tenure = tenure
    this.watches = watches
  }

  /** One renewal: in one round trip where nothing is known to have changed, and fully where that fails. */
  round(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.watches.isWatching && this.tenure.isFresh
        ? Effect.flatMap(this.attempt("fast", renewFast(this.tenure)), (done) => done ? Effect.void : this.fully())
        : this.fully()
    )
  }

  /** One renewal that takes nothing for known. What was found out on the way here may have ended the tenure. */
  fully(): Effect.Effect<void> {
    return Effect.flatMap(
      this.tenure.end.check,
      (held) => held ? Effect.asVoid(this.attempt("full", renewFully(this.tenure, this.watches))) : Effect.void
    )
  }

  /** Whether it has led to anything. */
  private attempt(path: Path, renew: Effect.Effect<Outcome, StoreError | ClockOutOfRange>): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const { belief, candidate } = this.tenure
      const begun = candidate.now()
      const headroom = belief.remaining()
      return Effect.matchEffect(renew, {
        onFailure: (error) => Effect.as(this.failed(path, error), false),
        onSuccess: (outcome) => {
          this.failures = 0
          const told = outcome._tag === "Refused"
            ? this.refused(outcome.because)
            : this.confirmed(path, outcome, begun, headroom)
          return Effect.as(told, true)
        }
      })
    })
  }

  private failed(path: Path, error: StoreError | ClockOutOfRange): Effect.Effect<void> {
    const { candidate: { contact, events }, end, term } = this.tenure
    if (path === "full") {
      this.failures++
      contact.failure()
    }
    const told = events.tell({ _tag: "RenewalFailed", term, path, error })
    if (error._tag !== "FdbError") {
      this.tenure.hinderedBy(error._tag === "ClockOutOfRange" ? "clock-jumped" : "broken")
    } else if (path === "full" && !isTransient(error)) return Effect.andThen(told, end.lose("broken"))
    return told
  }

  private refused(because: Refusal): Effect.Effect<void> {
    if (because !== "disabled") return this.tenure.end.lose(because)
    // The election may be enabled again before the belief is over.
    this.tenure.hinderedBy(because)
    return Effect.void
  }

  private confirmed(path: Path, { attempt, lease, version }: Renewed, begun: bigint, headroom: bigint) {
    const { belief, candidate: { events, now }, end, term } = this.tenure
    return Effect.flatMap(end.check, (held) => {
      // A confirmation that comes after the belief was over does not bring it back.
      if (!held) return Effect.void
      this.tenure.renewed(attempt, lease, version)
      return events.tell({
        _tag: "Renewed",
        term,
        ballot: lease.ballot,
        path,
        latency: Duration.nanos(now() - begun),
        headroom: Duration.nanos(headroom),
        leaseDuration: Duration.nanos(lease.duration),
        believesUntil: belief.monotonicUntil
      })
    })
  }

  /** How long to wait for the next round. */
  pause(): Pacing.Pause {
    const { belief, candidate: { contact: { heartbeat }, marginOf, now }, claimTook, lease, version } = this.tenure
    if (this.failures > 0) {
      return { about: Pacing.backOff(this.failures, Pacing.beforeDeadline(belief.remaining(), heartbeat)) }
    }
    const span = lease.duration - marginOf(lease.duration)
    return { about: Pacing.untilRenewal(heartbeat, span, now() - version.at, claimTook) }
  }

  /** Whether a change may cut the wait short; after a failure it must not, for then nothing has been read since. */
  get mayBeWoken(): boolean {
    return this.failures === 0
  }
}

/** Renews until the tenure is over. */
export const keepRenewing = (tenure: Tenure, watches: Watches): Effect.Effect<void> =>
  Effect.gen(function*() {
    const loop = new RenewalLoop(tenure, watches)
    const sleep = yield* Pacing.pacer
    tenure.candidate.lifecycle.wokenBy(watches.wake)
    if (!(yield* finishElection(tenure, watches))) yield* loop.fully()
    while (true) {
      const pause = sleep(loop.pause())
      yield* loop.mayBeWoken ? watches.during(pause) : pause
      if (!(yield* tenure.end.check)) return
      yield* loop.round()
    }
  }).pipe(tenure.end.losingByDefect("renewal loop"))
