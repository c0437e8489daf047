/** One renewal: what is asked and written, in one transaction (2, 7, 9, 11). When: `renewalLoop.ts`. */
import { type FdbError, Transaction } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ClockOutOfRange, InvalidState, StoreError } from "../../ElectionError.ts"
import { maxTimeout, minTimeout } from "../candidate/contact.ts"
import { type Instant, instant } from "../candidate/instant.ts"
import type { Watches } from "../candidate/watches.ts"
import type { Refusal } from "../protocol/lossTraits.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { LeaseRecord } from "../protocol/records.ts"
import type { ElectionKeys } from "../storage/keys.ts"
import * as Reads from "../storage/reads.ts"
import * as Writes from "../storage/writes.ts"
import type { Tenure } from "./tenure.ts"

export interface Renewed {
  readonly _tag: "Renewed"
  readonly attempt: Instant
  readonly lease: LeaseRecord
  readonly version: bigint
}

/** What an attempt has found. */
export type Outcome = Renewed | { readonly _tag: "Refused"; readonly because: Refusal }

/** A leader may be replaced, challenged, disabled. */
const keysWatched = ({ challenge, config, leader }: ElectionKeys): ReadonlyArray<Uint8Array> => [
  leader,
  challenge,
  config
]

/** Half of what is left of the belief, so that there is time for other attempts. */
const timeoutOf = ({ belief }: Tenure): Duration.Duration => {
  const remaining = Duration.nanos(belief.remaining())
  return Duration.clamp(Duration.divideUnsafe(remaining, 2), {
    minimum: Duration.min(remaining, minTimeout),
    maximum: maxTimeout
  })
}

/** The belief must not outlast a shorter lease that is about to be written. */
const limitBelief = (tenure: Tenure, attempt: Instant, leaseDuration: bigint): Effect.Effect<void> => {
  const { belief, candidate: { events, marginOf }, lease, term, watchdog } = tenure
  if (leaseDuration >= lease.duration) return Effect.void
  belief.limit(attempt, leaseDuration, marginOf(leaseDuration))
  const told = events.tell({
    _tag: "Shortened",
    term,
    leaseDuration: Duration.nanos(leaseDuration),
    believesUntil: belief.monotonicUntil
  })
  return Effect.andThen(told, watchdog.beliefShortened)
}

/** One round trip: what was read or written at the last version still stands if this commit is accepted (11). */
export const renewFast = (tenure: Tenure): Effect.Effect<Outcome, FdbError | InvalidState | ClockOutOfRange> =>
  Effect.suspend(() => {
    const { candidate: { clock, database, keys, registration: { priority } }, leader, lease } = tenure
    const attempt = instant(clock)
    const body = Effect.flatMap(Transaction, (tx) =>
      tx.setReadVersion(tenure.version.version).pipe(
        Effect.andThen(
          Writes.writeRenewal(tx, keys, leader, priority, lease.ballot + 1n, lease.duration)
        ),
        Effect.flatMap((renewed) =>
          Effect.map(tx.committedVersion, (committedVersion) => ({ renewed, committedVersion }))
        )
      ))
    return Effect.flatMap(
      database.transact(body, { retryLimit: 0, timeout: timeoutOf(tenure) }),
      ({ committedVersion, renewed }) =>
        Effect.map(committedVersion, (version): Outcome => ({ _tag: "Renewed", attempt, lease: renewed, version }))
    )
  })

/** Reads everything, asks the protocol, and sets the watches again where they have fired. */
export const renewFully = (tenure: Tenure, watches: Watches): Effect.Effect<Outcome, StoreError | ClockOutOfRange> => {
  const { candidate: { clock, contact, database, id, keys, registration }, leader } = tenure
  const body = Effect.gen(function*() {
    const tx = yield* Transaction
    const attempt = instant(clock)
    watches.acknowledge()
    const view = yield* Reads.readView(tx.snapshot, keys, id)
    const watchSet = watches.isWatching ? undefined : yield* watches.set(tx, keysWatched(keys))
    const renewal = Protocol.renew(view, leader)
    if (renewal._tag === "Refuse") return { view, watchSet, renewed: undefined, because: renewal.because }
    yield* limitBelief(tenure, attempt, view.leaseDuration)
    const { priority } = registration
    const lease = yield* Writes.writeRenewal(tx, keys, leader, priority, renewal.ballot, view.leaseDuration)
    return { view, watchSet, renewed: { attempt, lease, committedVersion: yield* tx.committedVersion } }
  })
  return Effect.gen(function*() {
    const found = yield* database.transact(body, { idempotent: true, timeout: timeoutOf(tenure) })
    if (found.watchSet !== undefined) yield* watches.use(found.watchSet)
    contact.configured(found.view.config)
    if (found.renewed === undefined) return { _tag: "Refused", because: found.because }
    const { attempt, committedVersion, lease } = found.renewed
    return { _tag: "Renewed", attempt, lease, version: yield* committedVersion }
  })
}

/**
 * What a claim leaves for later, for others wait for its leader: sets the watches, and keeps the history short. Tells whether that
 * is done and nothing asks for a full renewal meanwhile.
 */
export const finishElection = (tenure: Tenure, watches: Watches): Effect.Effect<boolean> => {
  const { candidate: { database, id, keys, registration }, leader } = tenure
  const body = Effect.gen(function*() {
    const tx = yield* Transaction
    watches.acknowledge()
    const [view, outdated] = yield* Effect.all([
      Reads.readView(tx.snapshot, keys, id),
      Reads.readOutdated(tx.snapshot, keys)
    ], { concurrency: "unbounded" })
    yield* Writes.trimHistory(tx, keys, outdated)
    const isCalled = Protocol.renew(view, leader)._tag === "Refuse" ||
      view.leaseDuration !== tenure.lease.duration || view.candidate?.priority !== registration.priority
    return { isCalled, watchSet: yield* watches.set(tx, keysWatched(keys)) }
  })
  return database.transact(body, { idempotent: true, timeout: timeoutOf(tenure) }).pipe(
    Effect.flatMap(({ isCalled, watchSet }) => {
      tenure.electionFinished()
      return Effect.as(watches.use(watchSet), !isCalled)
    }),
    Effect.orElseSucceed(() => false)
  )
}
