/**
 * The pace of the loops: schedules that are told, after each round, how long to wait, and jitter it.
 *
 * `Schedule.spaced` and not `fixed`: a beat that comes early must not aim at the same tick again.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"

/** What a round says of the next one, in nanoseconds. */
export interface Pause {
  /** How long to wait, before jitter. */
  readonly about: bigint
  /** An instant of the monotonic clock that must not be slept through, and at which to wake exactly. */
  readonly until?: bigint | undefined
}

/** No wait at all. */
export const atOnce: Pause = { about: 0n }

/** How long after the leader's next renewal is due a follower looks, so that what it then sees is young. */
export const pollLag = (heartbeat: bigint): bigint => heartbeat / 5n

/**
 * When to look again at a lease that was `age` old: soon after its next renewal is due. The age may be told by another
 * process's wall clock: nothing depends on it but how young the next observation is.
 */
export const untilNextPoll = (age: bigint, heartbeat: bigint): bigint => {
  const period = heartbeat + pollLag(heartbeat)
  const atLeast = heartbeat / 2n
  if (age <= 0n) return period
  return period - age > atLeast ? period - age : atLeast
}

/** The longest of some spans. */
const longest = (...spans: ReadonlyArray<bigint>): bigint => spans.reduce((a, b) => a > b ? a : b, 0n)

/** How often to renew: each heartbeat, and early enough for a second try where `belief`, the span of belief, is short. */
export const renewalPeriod = (heartbeat: bigint, belief: bigint): bigint =>
  heartbeat < belief / 2n ? heartbeat : belief / 2n

/**
 * When to renew again: counted, as the belief is, from the start of the last attempt, which was `age` ago.
 *
 * But not without a rest, as far as the belief allows. Whoever has to conflict with renewals, as a challenge does, reads before
 * it commits, and needs room between two: three times what the claim took, which did the same, or four times the last attempt, which
 * has only committed.
 */
export const untilRenewal = (period: bigint, belief: bigint, age: bigint, claimTook: bigint): bigint => {
  const room = longest(3n * claimTook, 4n * age)
  return longest(period - age, period / 2n, room < belief / 3n ? room : belief / 3n)
}

/** The same ±20 % for several spans of nanoseconds. */
export const jitters: Effect.Effect<(about: bigint) => bigint> = Effect.map(
  Random.next,
  (fraction) => (about) => about > 0n ? BigInt(Math.round(Number(about) * (0.8 + 0.4 * fraction))) : 0n
)

/** A span of nanoseconds ±20 %. */
export const jitter = (about: bigint): Effect.Effect<bigint> => Effect.map(jitters, (jittered) => jittered(about))

/** How long a round is to be waited for after all: ±20 %, and never past its `until`. */
const jittered = ({ about, until }: Pause): Effect.Effect<Duration.Duration> =>
  Effect.flatMap(jitter(about), (length) => {
    return until === undefined ?
      Effect.succeed(Duration.nanos(length)) :
      Effect.map(Clock.monotonicTimeNanos, (now) => {
        const left = until > now ? until - now : 0n
        return Duration.nanos(length < left ? length : left)
      })
  })

/** Waits about as long as each round says. In one step: schedules that are made of others cost more than a renewal. */
const paced: Schedule.Schedule<Pause, Pause> = Schedule.fromStep<Pause, Pause, never, never, never, never>(
  Effect.succeed((_now, pause) => Effect.map(jittered(pause), (delay) => [pause, delay]))
)

/** Waits as {@link paced} says, one round after another. */
export const pacer: Effect.Effect<(pause: Pause) => Effect.Effect<void>> = Effect.map(
  Schedule.toStepWithSleep(paced),
  (step) => (pause) => Effect.ignore(step(pause))
)

/** After failures in a row: doubled from a sixteenth of the longest pause up to it. */
export const backOff = (failures: number, longest: bigint): bigint => {
  const pause = longest >> BigInt(Math.max(0, 4 - failures + 1))
  return pause > 0n ? pause : 1n
}

/**
 * The longest pause of a leader that cannot renew: there has to be time for other tries before its belief is over, but not for
 * ever more of them the nearer that comes.
 */
export const beforeDeadline = (remaining: bigint, heartbeat: bigint): bigint => {
  const quarter = remaining / 4n
  const least = heartbeat / 50n
  if (quarter < least) return least
  return quarter < heartbeat ? quarter : heartbeat
}
