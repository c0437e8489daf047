/** A candidate's own record: how it comes, is kept fresh, and goes. */
import { type FdbError, Transaction, type Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ElectionConfig } from "../../ElectionConfig.ts"
import type { ClockOutOfRange, InvalidState } from "../../ElectionError.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { Identity } from "../protocol/records.ts"
import * as Operations from "../storage/operations.ts"
import * as Store from "../storage/reads.ts"
import type { Member } from "./candidate.ts"
import * as Log from "./log.ts"
import * as Candidate from "./validation.ts"

/**
 * Registers, as a new identity. A registration whose commit is not known of is superseded by the next; one that is interrupted
 * after its commit is its own all the same, and is removed when the candidacy ends.
 */
export const register = Effect.fnUntraced(function*(member: Member) {
  const { database, id, keys, priority } = member
  const { supersededBy } = member.memory
  const again = member.identity !== undefined && supersededBy === undefined
  const own = Effect.map((registration: Versionstamp.Versionstamp) => {
    member.identity = { id, registration }
    return registration
  })
  let last: Effect.Effect<Versionstamp.Versionstamp, FdbError> | undefined
  const able = ({ leaseDuration }: ElectionConfig) =>
    Candidate.requireAble(member.marginOf, Duration.toNanosUnsafe(leaseDuration))
  const registering = Operations.registerCandidate(keys, id, priority, able).pipe(
    Effect.tap((registration) =>
      Effect.sync(() => {
        last = own(registration)
      })
    )
  )
  // Of several that wait for one id, the first comes back, and the others go on waiting.
  const body = supersededBy === undefined
    ? registering
    : Effect.flatMap(Transaction, (tx) =>
      Effect.flatMap(
        Store.read(tx, Store.candidate(keys, id)),
        (record) => Protocol.isFree(supersededBy, record) ? registering : Effect.undefined
      ))
  const registration = yield* database.transact(body, { idempotent: true, timeout: member.growingPatience }).pipe(
    Effect.flatMap((registered) => registered === undefined ? Effect.undefined : own(registered)),
    Effect.onInterrupt(() => last === undefined ? Effect.void : Effect.ignore(last))
  )
  if (registration === undefined) return
  member.memory = { ...member.memory, supersededBy: undefined }
  member.showed(priority, member.now())
  member.forgetsItself()
  member.reached()
  yield* member.tell((about) => ({ _tag: "Registered", ...about, registration, again }))
})

/** Whether half a heartbeat has passed since its record was written last: a loop that is woken early need not beat. */
export const isDue = (member: Member): boolean =>
  member.lastBeat === undefined || member.now() - member.lastBeat >= member.heartbeat / 2n

/**
 * Shows that the candidate lives, blindly: one commit, which fails if its record is another than that seen at `version`. Gives
 * the version of the commit; a beat that the database fails is left to the next.
 */
export const beat = (
  member: Member,
  me: Identity,
  version: bigint,
  timeout: Duration.Duration
): Effect.Effect<bigint | undefined, InvalidState | ClockOutOfRange> =>
  Effect.suspend(() => {
    const at = member.now()
    const { priority } = member
    const body = Effect.flatMap(Transaction, (tx) =>
      tx.setReadVersion(version).pipe(
        Effect.andThen(tx.addReadConflictKey(member.keys.candidate(me.id))),
        Effect.andThen(Operations.beat(tx, member.keys, me, priority, member.clock.currentTimeNanosUnsafe())),
        Effect.andThen(tx.committedVersion)
      ))
    return Effect.flatten(member.database.transact(body, { retryLimit: 0, timeout })).pipe(
      Effect.map((committed) => {
        member.showed(priority, at)
        member.sawItself(committed, at)
        return committed
      }),
      Effect.catchTag("FdbError", () => Effect.undefined)
    )
  })

const ending = <E extends { readonly message: string }>(
  member: Member,
  end: Effect.Effect<void, E, Transaction>
): Effect.Effect<void> =>
  Effect.suspend(() => member.database.transact(end, { idempotent: true, timeout: member.patience })).pipe(
    Effect.catch((error) => Log.debug(`"${member.id}" could not take its leave: ${error.message}`)),
    Effect.catchDefect((defect) => Log.error(`unregistering "${member.id}" failed with a defect`, defect))
  )

/** Ends a tenure that it may have claimed without being told. */
export const relinquish = (member: Member): Effect.Effect<void> =>
  Effect.suspend(() => {
    member.claiming = false
    return member.identity === undefined
      ? Effect.void
      : ending(member, Operations.relinquish(member.keys, member.identity))
  })

/** Removes its own record, if it is still its own; one that leads resigns with it. */
export const unregister = (member: Member): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { identity } = member
    if (identity === undefined) return Effect.void
    member.identity = undefined
    return ending(
      member,
      Operations.unregisterCandidate(member.keys, member.id, identity).pipe(
        Effect.catchTag("CandidateSuperseded", () => Effect.void)
      )
    )
  })
