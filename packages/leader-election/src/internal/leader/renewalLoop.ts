/**
 * When a leader renews: at the pace of its heartbeat, together with the other tenures of its process; and alone, at once, when a watch has
 * fired or the group could not renew it. How: `renewal.ts`.
 */
import type { FdbError } from "@effect-fdb/core"
import * as FdbErrors from "@effect-fdb/core/FdbError"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ClockOutOfRange, StoreError } from "../../ElectionError.ts"
import { isTransient } from "../candidate/contact.ts"
import { type Cohort, Group, type Member } from "../candidate/group.ts"
import * as Pacing from "../candidate/pacing.ts"
import { perDatabase } from "../candidate/perDatabase.ts"
import type { Watches } from "../candidate/watches.ts"
import type { Refusal } from "../protocol/lossTraits.ts"
import { finishElection, type Outcome, type Renewable, type Renewed, renewFast, renewFully } from "./renewal.ts"
import type { Tenure } from "./tenure.ts"

type Path = "fast" | "full"

/** How the renewals of one tenure fare. */
class Renewals implements Renewable, Member {
  readonly tenure: Tenure
  readonly watches: Watches
  readonly context: Context.Context<never>
  /** In a row. */
  failures = 0

  constructor(tenure: Tenure, watches: Watches, context: Context.Context<never>) {
    this.tenure = tenure
    this.watches = watches
    this.context = context
  }

  /** Whether nothing is known to have changed since it was last renewed. */
  get isUndisturbed(): boolean {
    return this.failures === 0 && this.watches.isWatching && this.tenure.obstacle === undefined
  }

  failed(path: Path, error: StoreError | ClockOutOfRange): Effect.Effect<void> {
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

  /** Takes note of what came of an attempt, which was begun with so much `headroom` left of the belief. */
  found(path: Path, outcome: Outcome, begun: bigint, headroom: bigint): Effect.Effect<void> {
    if (outcome._tag === "Failed") return this.failed(path, outcome.error)
    this.failures = 0
    return outcome._tag === "Refused" ? this.refused(outcome.because) : this.confirmed(path, outcome, begun, headroom)
  }

  private refused(because: Refusal): Effect.Effect<void> {
    if (because !== "disabled") return this.tenure.end.lose(because)
    // The election may be enabled again before the belief is over.
    this.tenure.hinderedBy(because)
    return Effect.void
  }

  private confirmed(path: Path, { attempt, lease, version }: Renewed, begun: bigint, headroom: bigint) {
    const { belief, candidate: { events, now, witnessed }, end, term } = this.tenure
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
        believesUntil: belief.monotonicUntil,
        witnesses: witnessed.witnesses
      })
    })
  }

  /** The time between two renewals, and how long to wait for the next one. */
  get pace(): { readonly period: bigint; readonly pause: bigint } {
    const { candidate: { contact: { heartbeat }, marginOf, now }, claimTook, lease, version } = this.tenure
    const span = lease.duration - marginOf(lease.duration)
    const period = Pacing.renewalPeriod(heartbeat, span)
    return { period, pause: Pacing.untilRenewal(period, span, now() - version.at, claimTook) }
  }

  /** How long to wait after failures. */
  get backOff(): bigint {
    const { belief, candidate: { contact: { heartbeat } } } = this.tenure
    return Pacing.backOff(this.failures, Pacing.beforeDeadline(belief.remaining(), heartbeat))
  }
}

type Members = readonly [Renewals, ...ReadonlyArray<Renewals>]

const isSome = (members: ReadonlyArray<Renewals>): members is Members => members.length > 0

/** Makes an attempt. Who has left the group meanwhile is not told of it. */
const attempt = <E extends StoreError | ClockOutOfRange>(
  path: Path,
  members: Members,
  renewing: Effect.Effect<ReadonlyArray<Outcome>, E>,
  isPresent: (member: Renewals) => boolean
): Effect.Effect<Result.Result<ReadonlyArray<Outcome>, E>> =>
  Effect.gen(function*() {
    const begun = members[0].tenure.candidate.now()
    const headroom = members.map(({ tenure: { belief } }) => belief.remaining())
    const result = yield* Effect.result(renewing)
    for (const [i, member] of members.entries()) {
      if (!isPresent(member)) continue
      const told = Result.isFailure(result)
        ? member.failed(path, result.failure)
        : member.found(path, result.success[i]!, begun, headroom[i]!)
      yield* Effect.provideContext(told, member.context)
    }
    return result
  })

const attemptFast = (members: Members, isPresent: (member: Renewals) => boolean) => {
  const [{ tenure }, ...others] = members
  return attempt("fast", members, renewFast([tenure, ...others.map(({ tenure }) => tenure)]), isPresent)
}

/** Renews one tenure, and takes nothing for known. What was found out before may have ended it. */
const renewAlone = (renewals: Renewals): Effect.Effect<void> =>
  Effect.flatMap(renewals.tenure.end.check, (held) =>
    held
      ? Effect.asVoid(attempt("full", [renewals], renewFully([renewals], { again: true }), () => true))
      : Effect.void)

/** When those who have just been renewed are to be renewed again: at the pace of the first to be due. */
const nextBeats = (renewed: ReadonlyArray<Renewals>): Effect.Effect<ReadonlyArray<Cohort<Renewals>>> => {
  const byPeriod = new Map<bigint, { readonly members: Array<Renewals>; pause: bigint }>()
  for (const member of renewed) {
    const { pause, period } = member.pace
    const cohort = byPeriod.get(period) ?? { members: [], pause }
    byPeriod.set(period, cohort)
    cohort.members.push(member)
    if (pause < cohort.pause) cohort.pause = pause
  }
  return Effect.forEach(byPeriod, ([period, { members, pause }]) =>
    Effect.map(Pacing.jitter(pause), (pause) => {
      const now = members[0]!.tenure.candidate.now()
      return { members, period, dueAt: now + pause, from: now + period / 2n }
    }))
}

/** When a joint attempt is made again that has failed: at once by halves where one of them has kept the others from being renewed. */
const nextTries = (members: Members, error: FdbError): Effect.Effect<ReadonlyArray<Cohort<Renewals>>> => {
  if (!isTransient(error)) return Effect.succeed([])
  const now = members[0].tenure.candidate.now()
  // As it is, with nobody else.
  const cohort = (members: ReadonlyArray<Renewals>, dueAt: bigint) => ({ members, period: 0n, dueAt, from: dueAt + 1n })
  if (error.code === FdbErrors.codes.notCommitted && members.length > 1) {
    const half = members.length >> 1
    return Effect.succeed([cohort(members.slice(0, half), now), cohort(members.slice(half), now)])
  }
  const backOff = members.map(({ backOff }) => backOff).reduce((a, b) => a < b ? a : b)
  return Effect.map(Pacing.jitter(backOff), (pause) => [cohort(members, now + pause)])
}

/**
 * Renews tenures together: in one round trip where all were last written at one version, which then says for each what it says for one
 * (11); else by a joint read of all. Whoever cannot be renewed goes on alone.
 */
const beat = (members: ReadonlyArray<Renewals>, group: Group<Renewals>) =>
  Effect.gen(function*() {
    const isPresent = (member: Renewals) => group.has(member)
    const goOn = () =>
      nextBeats(members.filter((member) => member.isUndisturbed && member.tenure.end.reason === undefined))
    if (isSome(members) && mayRenewFast(members)) {
      if (Result.isSuccess(yield* attemptFast(members, isPresent))) return yield* goOn()
    }
    if (members.length === 1) return []
    const held = members.filter((member) => isPresent(member) && member.tenure.end.checkNow(member.context))
    if (!isSome(held)) return []
    const renewed = yield* attempt("full", held, renewFully(held, { again: false }), isPresent)
    return yield* Result.isSuccess(renewed) ? goOn() : nextTries(held, renewed.failure)
  })

const mayRenewFast = (members: Members): boolean => {
  const { version } = members[0].tenure.version
  return members.every(({ tenure, watches }) =>
    tenure.isFresh && tenure.version.version === version && watches.isWatching
  )
}

const groupOf = perDatabase((clock) => new Group<Renewals>(clock, beat))

/** Renews until the tenure is over. */
export const keepRenewing = (tenure: Tenure, watches: Watches): Effect.Effect<void> =>
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.gen(function*() {
      const { clock, database, lifecycle } = tenure.candidate
      const renewals = new Renewals(tenure, watches, context)
      const group = groupOf({ database, clock })
      const sleep = yield* Pacing.pacer
      lifecycle.wokenBy(watches.wake)
      if (tenure.isToBeRenewed) yield* renewAlone(renewals)
      if (!(yield* finishElection(renewals))) yield* renewAlone(renewals)
      while (true) {
        if (renewals.isUndisturbed) {
          const member = new Renewals(tenure, watches, context)
          const [cohort] = yield* nextBeats([member])
          yield* watches.during(group.join(member, cohort!))
        } else if (renewals.failures === 0) yield* watches.during(sleep({ about: renewals.pace.pause }))
        // Not to be cut short, for nothing has been read since a watch has fired.
        else yield* sleep({ about: renewals.backOff })
        if (!(yield* tenure.end.check)) return
        yield* renewAlone(renewals)
      }
    })
  ).pipe(tenure.end.losingByDefect("renewal loop"))
