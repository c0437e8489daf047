/**
 * Followers that have nothing to do but to look again: those of one process on one database look, and show that they live, together (11).
 * Whoever finds anything else to do leaves, and looks alone: `campaign.ts`.
 */
import { type FdbError, Transaction } from "@effect-fdb/core"
import * as FdbErrors from "@effect-fdb/core/FdbError"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ClockOutOfRange, InvalidState, NotInitialized } from "../../ElectionError.ts"
import type { Candidate } from "../candidate/candidate.ts"
import { isTransient, minTimeout } from "../candidate/contact.ts"
import { type Cohort, Group, type Member } from "../candidate/group.ts"
import { type Instant, instant } from "../candidate/instant.ts"
import * as Pacing from "../candidate/pacing.ts"
import { perDatabase } from "../candidate/perDatabase.ts"
import { Registration } from "../candidate/registration.ts"
import type { Watches } from "../candidate/watches.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { HeldRecord } from "../protocol/records.ts"
import * as Reads from "../storage/reads.ts"
import { consider, keysWatched, untilNextLook } from "./look.ts"

/** A view that was read together with others. */
interface Seen {
  readonly attempt: Instant
  /** Before the read version was asked for, or the heartbeats sent whose commit has told it. */
  readonly lookedAt: Instant
  readonly readAt: bigint
  readonly version: bigint
  readonly views: ReadonlyArray<Result.Result<Reads.ElectionView, InvalidState | NotInitialized>>
}

/** An enabled election with a leader. */
export type LedView = Reads.ElectionView & { readonly leader: HeldRecord }

export const isLed = (view: Reads.ElectionView): view is LedView => view.enabled && view.leader._tag === "Held"

/** One that follows a leader. */
class Follower implements Member {
  readonly candidate: Candidate
  readonly context: Context.Context<never>
  private readonly watches: Watches
  private view: LedView
  /** About when to look again. */
  lookAt: bigint
  /** An instant that must not be slept through, at which it has something to do alone. */
  until: bigint | undefined

  constructor(
    candidate: Candidate,
    watches: Watches,
    context: Context.Context<never>,
    view: LedView,
    lookAt: bigint,
    until: bigint | undefined
  ) {
    this.candidate = candidate
    this.watches = watches
    this.context = context
    this.view = view
    this.lookAt = lookAt
    this.until = until
  }

  get period(): bigint {
    return this.candidate.contact.heartbeat
  }

  /** Whether nothing is known that it would have to do alone. */
  isUsual(now: bigint): boolean {
    return this.watches.isWatching && (this.until === undefined || now < this.until)
  }

  /** Takes note of what was seen, and gives what it tells of that; nothing where there is anything else to do. */
  sees({ attempt, lookedAt, readAt, version }: Seen, read: Seen["views"][number]): Effect.Effect<void> | undefined {
    if (Result.isFailure(read)) return undefined
    const { admission, contact, memory: remembered, registration } = this.candidate
    const view = read.success
    const { memory, step } = consider(this.candidate, view, attempt, lookedAt, readAt)
    if (!this.watches.isWatchingAll(keysWatched(this.candidate, memory))) return undefined
    if (step._tag !== "Follow" || !isLed(view) || !Protocol.isCurrent(view.leader, this.view.leader)) return undefined
    remembered.looked(memory)
    contact.configured(view.config)
    registration.sawAt(version, attempt.monotonic)
    this.until = step.until
    this.view = view
    return admission.followed(step, view)
  }

  /** How long to wait until the next look, before jitter. */
  get pause(): bigint {
    return untilNextLook(this.candidate, this.view)
  }

  failed(error: FdbError): Effect.Effect<void> {
    const { contact, events } = this.candidate
    contact.failure()
    return Effect.provideContext(events.tell({ _tag: "Retried", error }), this.context)
  }
}

type Followers = readonly [Follower, ...ReadonlyArray<Follower>]

const isSome = (followers: ReadonlyArray<Follower>): followers is Followers => followers.length > 0

/** In what time two looks are about the same. */
const tolerance = (heartbeat: bigint): bigint => Pacing.pollLag(heartbeat)

const toCohort = (members: ReadonlyArray<Follower>): Cohort<Follower> => {
  // Rather late than before the leader has renewed.
  const { lookAt, period } = members.at(-1)!
  const dueAt = members.reduce((least, { until }) => until !== undefined && until < least ? until : least, lookAt)
  return { members, period, dueAt, from: lookAt - tolerance(period) / 2n }
}

/** Those that look at about the same time look together, for the leaders that one process has renew together, too. */
const toCohorts = (followers: ReadonlyArray<Follower>): ReadonlyArray<Cohort<Follower>> => {
  const cohorts: Array<Array<Follower>> = []
  const order = (a: Follower, b: Follower) => Number(a.period - b.period) || Number(a.lookAt - b.lookAt)
  for (const follower of followers.toSorted(order)) {
    const last = cohorts.at(-1)
    const first = last?.[0]
    const joins = first?.period === follower.period && follower.lookAt - first.lookAt <= tolerance(follower.period)
    if (joins) last!.push(follower)
    else cohorts.push([follower])
  }
  return cohorts.map(toCohort)
}

const registrationsOf = ([first, ...others]: Followers): readonly [Registration, ...ReadonlyArray<Registration>] => [
  first.candidate.registration,
  ...others.map(({ candidate: { registration } }) => registration)
]

const isDue = (followers: ReadonlyArray<Follower>): boolean =>
  followers.some(({ candidate: { registration } }) => registration.isDue)

/** The least that any of them would wait for. */
const timeoutOf = (
  followers: ReadonlyArray<Follower>,
  timeout: "transactionTimeout" | "growingTimeout"
): Duration.Duration => followers.map(({ candidate: { contact } }) => contact[timeout]).reduce(Duration.min)

/** Shows that they live, whose records stand at `version`; by halves where the record of one has changed, which keeps the others from it. */
const show = (
  followers: Followers,
  version: bigint,
  timeout: Duration.Duration
): Effect.Effect<unknown, InvalidState | ClockOutOfRange> => {
  const shown = Registration.showAll(registrationsOf(followers), version, timeout)
  return Effect.catchTag(shown, "FdbError", ({ code }) => {
    const half = followers.length >> 1
    const [first, second] = [followers.slice(0, half), followers.slice(half)]
    return code === FdbErrors.codes.notCommitted && isSome(first) && isSome(second)
      ? Effect.all([show(first, version, timeout), show(second, version, timeout)], { concurrency: 2 })
      : Effect.void
  })
}

/**
 * Shows that they live before they look, if one version is known at which the records of all stood: the look then takes that of the commit,
 * which need not be asked for.
 */
const showFirst = (followers: Followers): Effect.Effect<bigint | undefined, InvalidState | ClockOutOfRange> => {
  const registrations = registrationsOf(followers)
  const [{ seenAt }] = registrations
  const isCommon = seenAt !== undefined && isDue(followers) &&
    registrations.every((registration) => registration.seenAt?.version === seenAt.version)
  if (!isCommon) return Effect.undefined
  // The look waits for it, and has to be young; a commit that comes later than that counts all the same.
  const timeout = Duration.max(minTimeout, Duration.divideUnsafe(timeoutOf(followers, "transactionTimeout"), 8))
  return Effect.catchTag(
    Registration.showAll(registrations, seenAt.version, timeout),
    "FdbError",
    () => Effect.undefined
  )
}

/** Reads what each would read alone, in one wave; at a known version only once, for that may be what an attempt failed for. */
const look = (followers: Followers, version: bigint | undefined, sentAfter: Instant): Effect.Effect<Seen, FdbError> => {
  const [{ candidate: { clock, database, now } }] = followers
  const wanted = followers.map(({ candidate: { id, keys } }) => ({ id, keys }))
  let known = version
  const body = Effect.flatMap(Transaction, (tx) => {
    const attempt = instant(clock)
    const at = known
    const lookedAt = at === undefined ? attempt : sentAfter
    known = undefined
    return (at === undefined ? Effect.void : tx.setReadVersion(at)).pipe(
      Effect.andThen(Reads.readViews(tx.snapshot, wanted)),
      Effect.flatMap((views) => {
        const readAt = now()
        return Effect.map(tx.readVersion, (version): Seen => ({ attempt, lookedAt, readAt, version, views }))
      })
    )
  })
  return database.transact(body, { idempotent: true, timeout: timeoutOf(followers, "growingTimeout") })
}

/** They try again together. Where that cannot help, everyone finds it out alone. */
const failed = (followers: Followers, error: FdbError): Effect.Effect<ReadonlyArray<Cohort<Follower>>> =>
  Effect.gen(function*() {
    if (!isTransient(error)) return []
    yield* Effect.forEach(followers, (follower) => follower.failed(error), { discard: true })
    const jittered = yield* Pacing.jitters
    const now = followers[0].candidate.now()
    for (const follower of followers) {
      const { contact } = follower.candidate
      follower.lookAt = now + jittered(Pacing.backOff(contact.failures, contact.heartbeat))
    }
    return toCohorts(followers)
  })

const lookTogether = (followers: Followers, group: Group<Follower>) =>
  Effect.gen(function*() {
    const sentAfter = instant(followers[0].candidate.clock)
    const looked = yield* Effect.result(look(followers, yield* showFirst(followers), sentAfter))
    if (Result.isFailure(looked)) {
      const present = followers.filter((follower) => group.has(follower))
      return isSome(present) ? yield* failed(present, looked.failure) : []
    }
    const { success: seen } = looked
    const staying: Array<Follower> = []
    for (const [i, follower] of followers.entries()) {
      if (!group.has(follower)) continue
      const told = follower.sees(seen, seen.views[i]!)
      if (told === undefined) group.release(follower)
      else {
        staying.push(follower)
        yield* Effect.provideContext(told, follower.context)
      }
    }
    if (!isSome(staying)) return []
    if (isDue(staying)) yield* show(staying, seen.version, timeoutOf(staying, "transactionTimeout"))
    const jittered = yield* Pacing.jitters
    const now = followers[0].candidate.now()
    for (const follower of staying) follower.lookAt = now + jittered(follower.pause)
    return toCohorts(staying.filter((follower) => group.has(follower)))
  })

const beat = (members: ReadonlyArray<Follower>, group: Group<Follower>) =>
  Effect.suspend((): Effect.Effect<ReadonlyArray<Cohort<Follower>>> => {
    const now = members[0]!.candidate.now()
    const usual = members.filter((follower) => follower.isUsual(now))
    // Now: they do not wait for the beat of the others.
    for (const follower of members) if (!follower.isUsual(now)) group.release(follower)
    // Woken for the sake of those that have left.
    if (!isSome(usual) || usual.every(({ lookAt }) => now < lookAt)) return Effect.succeed(toCohorts(usual))
    // A record that cannot be written is told by whoever writes it alone.
    return Effect.orElseSucceed(lookTogether(usual, group), () => [])
  })

const groupOf = perDatabase((clock) => new Group<Follower>(clock, beat))

/** Looks again and again at the election, and shows that the candidate lives, until there is something else to do. */
export const keepFollowing = (
  candidate: Candidate,
  watches: Watches,
  view: LedView,
  { about, until }: Pacing.Pause
): Effect.Effect<void> =>
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.flatMap(Pacing.jitter(about), (pause) => {
      const { clock, database, now } = candidate
      const follower = new Follower(candidate, watches, context, view, now() + pause, until)
      return groupOf({ database, clock }).join(follower, toCohort([follower]))
    })
  )
