/**
 * The leader's upkeep: one fiber renews the lease at the pace of its schedule, woken early by the watches; another watches
 * the belief, whatever the first is waiting for (2, 3, 7, 9, 11).
 */
import { type FdbError, Transaction } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ClockOutOfRange, InvalidState, StoreError } from "../../ElectionError.ts"
import { leastPatience, mayPass, type Member, mostPatience } from "../candidate/candidate.ts"
import * as Log from "../candidate/log.ts"
import * as Pace from "../candidate/pacing.ts"
import type { WakeUp } from "../candidate/watches.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { LeaseRecord } from "../protocol/records.ts"
import * as Operations from "../storage/operations.ts"
import * as Store from "../storage/reads.ts"
import { type Instant, instant } from "./belief.ts"
import type { Tenure } from "./tenure.ts"

type Path = "fast" | "full"
type Refusal = Extract<Protocol.Renewal, { readonly _tag: "Refuse" }>["because"]

interface Renewed {
  readonly _tag: "Renewed"
  readonly attempt: Instant
  readonly lease: LeaseRecord
  readonly version: bigint
}

/** What an attempt has found. */
type Outcome = Renewed | { readonly _tag: "Refused"; readonly because: Refusal }

/** What calls a leader: it may be replaced, challenged, disabled. */
const keysWatched = ({ keys }: Member): ReadonlyArray<Uint8Array> => [keys.leader, keys.challenge, keys.config]

/** How long an attempt may take: half of what is left of the belief, so that there is time for others. */
const timeLeft = (tenure: Tenure): Duration.Duration => {
  const remaining = Duration.nanos(tenure.belief.remaining())
  return Duration.clamp(Duration.divideUnsafe(remaining, 2), {
    minimum: Duration.min(remaining, leastPatience),
    maximum: mostPatience
  })
}

/** The belief must not outlast a shorter lease that is about to be written. */
const limitBelief = (tenure: Tenure, attempt: Instant, leaseDuration: bigint): Effect.Effect<unknown> => {
  const { belief, lease, member, term } = tenure
  if (leaseDuration >= lease.duration) return Effect.void
  belief.limit(attempt, leaseDuration, member.marginOf(leaseDuration))
  const told = member.tell((about) => ({
    _tag: "Shortened",
    ...about,
    term,
    leaseDuration: Duration.nanos(leaseDuration),
    believesUntil: belief.monotonicUntil
  }))
  const isWatched = belief.monotonicUntil >= tenure.looksAt
  return Effect.andThen(told, isWatched ? Effect.void : Effect.forkDetach(watchdog(tenure), { startImmediately: true }))
}

/** One round trip: what was read or written at the last version still stands if this commit is accepted (11). */
const renewFast = (tenure: Tenure): Effect.Effect<Outcome, FdbError | InvalidState | ClockOutOfRange> =>
  Effect.suspend(() => {
    const { leader, lease, member } = tenure
    const attempt = instant(member.clock)
    const body = Effect.flatMap(Transaction, (tx) =>
      tx.setReadVersion(tenure.version.version).pipe(
        Effect.andThen(Operations.writeRenewal(
          tx,
          member.keys,
          leader,
          member.priority,
          lease.ballot + 1n,
          lease.duration
        )),
        Effect.flatMap((renewed) =>
          Effect.map(tx.committedVersion, (committedVersion) => ({ renewed, committedVersion }))
        )
      ))
    return Effect.flatMap(
      member.database.transact(body, { retryLimit: 0, timeout: timeLeft(tenure) }),
      ({ committedVersion, renewed }) =>
        Effect.map(committedVersion, (version): Outcome => ({ _tag: "Renewed", attempt, lease: renewed, version }))
    )
  })

/** Reads everything, asks the protocol, and sets the watches again where they have gone off. */
const renewFully = (tenure: Tenure, wakeUp: WakeUp): Effect.Effect<Outcome, StoreError | ClockOutOfRange> => {
  const { leader, member } = tenure
  const body = Effect.gen(function*() {
    const tx = yield* Transaction
    const attempt = instant(member.clock)
    wakeUp.answer()
    const view = yield* Store.readView(tx.snapshot, member.keys, member.id)
    const armed = wakeUp.isArmed ? undefined : yield* wakeUp.arm(tx, keysWatched(member))
    const renewal = Protocol.renew(view, leader)
    if (renewal._tag === "Refuse") return { view, armed, renewed: undefined, because: renewal.because }
    yield* limitBelief(tenure, attempt, view.leaseDuration)
    const lease = yield* Operations.writeRenewal(
      tx,
      member.keys,
      leader,
      member.priority,
      renewal.ballot,
      view.leaseDuration
    )
    return { view, armed, renewed: { attempt, lease, committedVersion: yield* tx.committedVersion } }
  })
  return Effect.gen(function*() {
    const found = yield* member.database.transact(body, { idempotent: true, timeout: timeLeft(tenure) })
    if (found.armed !== undefined) yield* wakeUp.started(found.armed)
    member.answered(found.view.config)
    if (found.renewed === undefined) return { _tag: "Refused", because: found.because }
    const { attempt, committedVersion, lease } = found.renewed
    return { _tag: "Renewed", attempt, lease, version: yield* committedVersion }
  })
}

/**
 * What a claim leaves for later, for others are waiting for its leader: sets the watches, and keeps the history short. Tells
 * whether that is done and nothing has called the leader meanwhile; else a renewal is to find out.
 */
const settle = (tenure: Tenure, wakeUp: WakeUp): Effect.Effect<boolean> => {
  const { leader, member } = tenure
  const body = Effect.gen(function*() {
    const tx = yield* Transaction
    wakeUp.answer()
    const [view, outdated] = yield* Effect.all([
      Store.readView(tx.snapshot, member.keys, member.id),
      Store.readOutdated(tx.snapshot, member.keys)
    ], { concurrency: "unbounded" })
    yield* Operations.trimHistory(tx, member.keys, outdated)
    const isCalled = Protocol.renew(view, leader)._tag === "Refuse" ||
      view.leaseDuration !== tenure.lease.duration || view.candidate?.priority !== member.priority
    return { isCalled, armed: yield* wakeUp.arm(tx, keysWatched(member)) }
  })
  return member.database.transact(body, { idempotent: true, timeout: timeLeft(tenure) }).pipe(
    Effect.flatMap(({ armed, isCalled }) => {
      tenure.isSettled = true
      return Effect.as(wakeUp.started(armed), !isCalled)
    }),
    Effect.orElseSucceed(() => false)
  )
}

/** The upkeep of one tenure. */
class Upkeep {
  private readonly tenure: Tenure
  private readonly wakeUp: WakeUp
  private failures = 0

  constructor(tenure: Tenure, wakeUp: WakeUp) {
    this.tenure = tenure
    this.wakeUp = wakeUp
  }

  /** One renewal: in one round trip where nothing is known to have changed, and fully where that fails. */
  round(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { tenure, wakeUp } = this
      const isQuiet = wakeUp.isArmed && tenure.obstacle === undefined && tenure.member.isFresh(tenure.version)
      return isQuiet
        ? Effect.flatMap(this.attempt("fast", renewFast(tenure)), (done) => done ? Effect.void : this.fully())
        : this.fully()
    })
  }

  /** One renewal that takes nothing for known. What was found out on the way here may have ended the tenure. */
  fully(): Effect.Effect<void> {
    return Effect.flatMap(
      this.tenure.isHeld,
      (held) => held ? Effect.asVoid(this.attempt("full", renewFully(this.tenure, this.wakeUp))) : Effect.void
    )
  }

  /** Whether it has led to anything. */
  private attempt(path: Path, renew: Effect.Effect<Outcome, StoreError | ClockOutOfRange>): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const { belief, member } = this.tenure
      const begun = member.now()
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
    const { tenure } = this
    const { member, term } = tenure
    if (path === "full") {
      this.failures++
      member.failures++
    }
    const told = member.tell((about) => ({ _tag: "RenewalFailed", ...about, term, path, error }))
    if (error._tag !== "FdbError") tenure.obstacle = error._tag === "ClockOutOfRange" ? "clock-jumped" : "broken"
    else if (path === "full" && !mayPass(error)) return Effect.andThen(told, tenure.lose("broken"))
    return told
  }

  private refused(because: Refusal): Effect.Effect<void> {
    const { tenure } = this
    if (because !== "disabled") return tenure.lose(because)
    // The election may be enabled again before the belief is over.
    tenure.obstacle = because
    return Effect.void
  }

  private confirmed(path: Path, { attempt, lease, version }: Renewed, begun: bigint, headroom: bigint) {
    const { tenure } = this
    const { member, term } = tenure
    return Effect.flatMap(tenure.isHeld, (held) => {
      // A confirmation that comes after the belief was over does not bring it back.
      if (!held) return Effect.void
      tenure.renewed(attempt, lease, version)
      return member.tell((about) => ({
        _tag: "Renewed",
        ...about,
        term,
        ballot: lease.ballot,
        path,
        latency: Duration.nanos(member.now() - begun),
        headroom: Duration.nanos(headroom),
        leaseDuration: Duration.nanos(lease.duration),
        believesUntil: tenure.belief.monotonicUntil
      }))
    })
  }

  /** How long to wait for the next round. */
  pause(): Pace.Pause {
    const { belief, claimTook, lease, member, version } = this.tenure
    if (this.failures > 0) {
      return { about: Pace.backOff(this.failures, Pace.beforeDeadline(belief.remaining(), member.heartbeat)) }
    }
    const span = lease.duration - member.marginOf(lease.duration)
    return { about: Pace.untilRenewal(member.heartbeat, span, member.now() - version.at, claimTook) }
  }

  /** Whether a change may cut the wait short; after a failure it must not, for then nothing has been read since. */
  get mayBeWoken(): boolean {
    return this.failures === 0
  }
}

/** What keeps the tenure up has died: it is over for its leader, as nothing would end its belief in time. */
const losingBy = (tenure: Tenure, what: string) =>
  Effect.catchDefect((defect) =>
    Effect.andThen(tenure.lose("broken"), Log.error(`the ${what} of a leadership failed with a defect`, defect))
  )

/** Renews until the tenure is over. */
export const upkeep = (tenure: Tenure, wakeUp: WakeUp): Effect.Effect<void> =>
  Effect.gen(function*() {
    const rounds = new Upkeep(tenure, wakeUp)
    const sleep = yield* Pace.pacer
    tenure.member.callUp = wakeUp.call
    if (!(yield* settle(tenure, wakeUp))) yield* rounds.fully()
    while (true) {
      const pause = sleep(rounds.pause())
      yield* rounds.mayBeWoken ? wakeUp.during(pause) : pause
      if (!(yield* tenure.isHeld)) return
      yield* rounds.round()
    }
  }).pipe(losingBy(tenure, "renewal loop"))

/** How long the watchdog looks away at most: for a margin, but not without end where that is next to nothing. */
const glance = (leaseDuration: bigint, margin: bigint): bigint => {
  const least = leaseDuration / 100n
  return margin > least ? margin : least
}

/**
 * Ends the tenure when its belief is over, on either clock: a wall clock that jumps is noticed within a glance. It ends itself
 * when the tenure was found to be over elsewhere, within a glance too, and so before the lease lapses. A belief that is limited to
 * less than a glance gets another.
 */
export const watchdog = (tenure: Tenure): Effect.Effect<void> => {
  const { belief, member } = tenure
  const watch: Effect.Effect<void> = Effect.flatMap(tenure.isHeld, (held) => {
    if (!held) return Effect.void
    const remaining = belief.remaining()
    const longest = glance(tenure.lease.duration, member.marginOf(tenure.lease.duration))
    const pause = remaining < longest ? remaining : longest
    tenure.looksAt = member.now() + pause
    return Effect.andThen(Effect.sleep(Duration.nanos(pause)), watch)
  })
  return losingBy(tenure, "watchdog")(watch)
}
