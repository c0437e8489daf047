/** Renewals in one transaction, of one tenure or of several: what is asked and written (2, 7, 9, 11). When: `renewalLoop.ts`. */
import { type FdbError, Transaction } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ClockOutOfRange, InvalidState, StoreError } from "../../ElectionError.ts"
import { maxTimeout, minTimeout } from "../candidate/contact.ts"
import { type Instant, instant } from "../candidate/instant.ts"
import type { Watches, WatchSet } from "../candidate/watches.ts"
import type { Refusal } from "../protocol/lossTraits.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { LeaseRecord } from "../protocol/records.ts"
import type { ElectionKeys } from "../storage/keys.ts"
import * as Reads from "../storage/reads.ts"
import * as Writes from "../storage/writes.ts"
import type { Tenure } from "./tenure.ts"

/** A tenure that is to be renewed, and the watches of its leader. */
export interface Renewable {
  readonly tenure: Tenure
  readonly watches: Watches
}

export interface Renewed {
  readonly _tag: "Renewed"
  readonly attempt: Instant
  readonly lease: LeaseRecord
  readonly version: bigint
}

/** What an attempt has found for a tenure. */
export type Outcome =
  | Renewed
  | { readonly _tag: "Refused"; readonly because: Refusal }
  /** Its records, or what its clock tells, cannot be used. */
  | { readonly _tag: "Failed"; readonly error: Exclude<StoreError, FdbError> | ClockOutOfRange }

/** Tenures of one process: at least one. */
type Several<A> = readonly [A, ...ReadonlyArray<A>]

/** A leader may be replaced, challenged, disabled. */
const keysWatched = ({ challenge, config, leader }: ElectionKeys): ReadonlyArray<Uint8Array> => [
  leader,
  challenge,
  config
]

/** Half of what is left of the shortest belief, so that there is time for other attempts. */
const timeoutOf = (tenures: ReadonlyArray<Tenure>): Duration.Duration => {
  const spans = tenures.map(({ belief }) => belief.remaining())
  const remaining = Duration.nanos(spans.reduce((a, b) => a < b ? a : b))
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
  return Effect.map(told, () => watchdog.beliefShortened(tenure))
}

/**
 * One round trip: what was read or written at the last version still stands if this commit is accepted (11). To be made for tenures
 * whose last version is the same.
 */
export const renewFast = (
  tenures: Several<Tenure>
): Effect.Effect<ReadonlyArray<Outcome>, FdbError | InvalidState | ClockOutOfRange> =>
  Effect.suspend(() => {
    const [{ candidate: { clock, database }, version }] = tenures
    const attempt = instant(clock)
    const body = Effect.gen(function*() {
      const tx = yield* Transaction
      yield* tx.setReadVersion(version.version)
      const leases: Array<LeaseRecord> = []
      for (const { candidate: { keys, registration: { priority } }, leader, lease } of tenures) {
        leases.push(yield* Writes.writeRenewal(tx, keys, leader, priority, lease.ballot + 1n, lease.duration))
      }
      return { leases, committedVersion: yield* tx.committedVersion }
    })
    return Effect.flatMap(
      database.transact(body, { retryLimit: 0, timeout: timeoutOf(tenures) }),
      ({ committedVersion, leases }) =>
        Effect.map(committedVersion, (version) =>
          leases.map((lease): Renewed => ({ _tag: "Renewed", attempt, lease, version })))
    )
  })

/** A renewal that is about to be committed, or why there is none. */
type Written = Omit<Renewed, "version"> | Exclude<Outcome, Renewed>

/** Asks the protocol, and writes what it says. */
const write = (
  { tenure }: Renewable,
  read: Result.Result<Reads.ElectionView, Extract<Outcome, { _tag: "Failed" }>["error"]>,
  attempt: Instant
): Effect.Effect<Written, FdbError, Transaction> =>
  Effect.gen(function*() {
    const { candidate: { keys, registration }, leader } = tenure
    const view = yield* Effect.fromResult(read)
    const renewal = Protocol.renew(view, leader)
    if (renewal._tag === "Refuse") return { _tag: "Refused", because: renewal.because } as const
    yield* limitBelief(tenure, attempt, view.leaseDuration)
    const tx = yield* Transaction
    const { priority } = registration
    const lease = yield* Writes.writeRenewal(tx, keys, leader, priority, renewal.ballot, view.leaseDuration)
    return { _tag: "Renewed", attempt, lease } as const
  }).pipe(
    Effect.catchIf(
      (error): error is Exclude<typeof error, FdbError> => error._tag !== "FdbError",
      (error) => Effect.succeed({ _tag: "Failed", error } as const)
    )
  )

/**
 * Reads everything, asks the protocol for each tenure, and sets the watches again where they have fired. With `again`, an attempt that
 * fails is tried again for as long as there is time.
 */
export const renewFully = (
  renewables: Several<Renewable>,
  { again }: { readonly again: boolean }
): Effect.Effect<ReadonlyArray<Outcome>, FdbError> =>
  Effect.gen(function*() {
    const [{ tenure: { candidate: { clock, database } } }] = renewables
    const body = Effect.gen(function*() {
      const tx = yield* Transaction
      const attempt = instant(clock)
      for (const { watches } of renewables) watches.acknowledge()
      const views = yield* Reads.readViews(
        tx.snapshot,
        renewables.map(({ tenure: { candidate: { id, keys } } }) => ({ id, keys }))
      )
      const found: Array<{ readonly written: Written; readonly watchSet: WatchSet | undefined }> = []
      for (const [i, renewable] of renewables.entries()) {
        const { tenure: { candidate: { keys } }, watches } = renewable
        const isKnown = watches.isWatching || Result.isFailure(views[i]!)
        const watchSet = isKnown ? undefined : yield* watches.set(tx, keysWatched(keys))
        found.push({ watchSet, written: yield* write(renewable, views[i]!, attempt) })
      }
      return { views, found, committedVersion: yield* tx.committedVersion }
    })
    const options = again ? { idempotent: true } : { retryLimit: 0 }
    const timeout = timeoutOf(renewables.map(({ tenure }) => tenure))
    const { committedVersion, found, views } = yield* database.transact(body, { ...options, timeout })
    const version = yield* committedVersion
    const outcomes: Array<Outcome> = []
    for (const [i, { tenure: { candidate: { contact } }, watches }] of renewables.entries()) {
      const { watchSet, written } = found[i]!
      if (watchSet !== undefined) yield* watches.use(watchSet)
      Result.map(views[i]!, ({ config }) => contact.configured(config))
      outcomes.push(written._tag === "Renewed" ? { ...written, version } : written)
    }
    return outcomes
  })

/**
 * What a claim leaves for later, for others wait for its leader: sets the watches, and keeps the history short. Tells whether that
 * is done and nothing asks for a full renewal meanwhile.
 */
export const finishElection = ({ tenure, watches }: Renewable): Effect.Effect<boolean> => {
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
  return database.transact(body, { idempotent: true, timeout: timeoutOf([tenure]) }).pipe(
    Effect.flatMap(({ isCalled, watchSet }) => {
      tenure.electionFinished()
      return Effect.as(watches.use(watchSet), !isCalled)
    }),
    Effect.orElseSucceed(() => false)
  )
}
