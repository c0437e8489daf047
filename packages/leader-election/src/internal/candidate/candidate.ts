/**
 * A candidacy: the constants and services that its parts share, and the owners of its state. Each part of the state is private to one
 * class, whose methods name the changes.
 */
import { Database, type DatabaseService, Testimony, Witness } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Election } from "../../Candidacy.ts"
import type { CandidateOptions } from "../../CandidateOptions.ts"
import { type ElectionConfig, validate as validateConfig } from "../../ElectionConfig.ts"
import type { InvalidCandidate, InvalidConfig } from "../../ElectionError.ts"
import { ElectionMetrics } from "../../ElectionMetrics.ts"
import { ElectionObserver } from "../../ElectionObserver.ts"
import type { Health } from "../../Health.ts"
import { toMargin, validate } from "../protocol/validation.ts"
import * as Keys from "../storage/keys.ts"
import { type Admission, unconditional } from "./admission.ts"
import { Contact, minTimeout } from "./contact.ts"
import { defaultId } from "./defaultId.ts"
import { Events } from "./events.ts"
import { FollowerMemory } from "./followerMemory.ts"
import { Lifecycle } from "./lifecycle.ts"
import { Registration } from "./registration.ts"
import { Sightings } from "./sightings.ts"
import { Witnessed } from "./witnessed.ts"

/** What does not change, and the services. */
export interface CandidateContext {
  readonly id: string
  readonly keys: Keys.ElectionKeys
  readonly database: DatabaseService
  readonly clock: Clock.Clock
  /** The monotonic time. */
  readonly now: () => bigint
  /** The safety margin for a lease, both in nanoseconds. */
  readonly marginOf: (leaseDuration: bigint) => bigint
  readonly events: Events
  readonly contact: Contact
  readonly witnessed: Witnessed
  /** Whether it may be appointed (6): it follows in one election, and claims for itself alone. */
  readonly isAppointable: boolean
}

export interface Candidate extends CandidateContext {
  /** What the election is to be set up with, where that was given. */
  readonly config: ElectionConfig | undefined
  /** Whether it leaves a vacancy to others for a lease, and claims a lapsed lease as any candidate does. */
  readonly isStandby: () => boolean
  readonly admission: Admission
  readonly lifecycle: Lifecycle
  readonly registration: Registration
  readonly memory: FollowerMemory
  readonly sightings: Sightings
  /** One campaign or tenure at a time. */
  readonly campaignLock: Semaphore.Semaphore
}

/** It leaves: no event follows. */
export const leave = ({ events, registration }: Candidate): Effect.Effect<void> =>
  Effect.ensuring(registration.unregister, Effect.sync(() => events.close()))

/**
 * Ends the candidacy. A campaign or tenure that goes on is ended by its own fiber, and the candidate leaves after it. That must
 * not be waited for here, for this may run in what that fiber closes.
 */
const close = (candidate: Candidate): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { lifecycle } = candidate
    return lifecycle.close() ? leave(candidate) : Effect.andThen(lifecycle.stepDown, lifecycle.wake)
  })

/** A candidacy that ends with the scope. */
export const make = Effect.fnUntraced(function*(
  { config, subspace }: Election,
  { id: given, priority = 0, safetyMargin }: CandidateOptions,
  isStandby: (() => boolean) | undefined = undefined,
  admission: Admission = unconditional
): Effect.fn.Return<Candidate, InvalidCandidate | InvalidConfig, Database | Scope.Scope> {
  const id = given ?? (yield* defaultId)
  yield* validate(id, priority)
  if (config !== undefined) yield* validateConfig(config)
  const keys = Keys.make(subspace)
  const clock = yield* Clock.Clock
  const now = () => clock.monotonicTimeNanosUnsafe()
  const context: CandidateContext = {
    id,
    keys,
    database: yield* Database,
    clock,
    now,
    marginOf: yield* toMargin(safetyMargin),
    events: new Events(keys.name, id, yield* ElectionObserver, yield* ElectionMetrics),
    contact: new Contact(now),
    witnessed: new Witnessed(
      Option.getOrUndefined(yield* Effect.serviceOption(Witness)),
      Testimony.ofSubspace(subspace)
    ),
    isAppointable: isStandby === undefined && admission === unconditional
  }
  const candidate: Candidate = {
    ...context,
    config,
    isStandby: isStandby ?? (() => false),
    admission,
    lifecycle: new Lifecycle(),
    registration: new Registration(context, priority),
    memory: new FollowerMemory(),
    sightings: new Sightings(),
    campaignLock: Semaphore.makeUnsafe(1)
  }
  yield* Effect.addFinalizer(() => close(candidate))
  return candidate
})

/**
 * Leaves a vacancy to others for a heartbeat, or for as long as they need to find it and to claim, where their transactions take
 * as long as the resignation `took`.
 */
export const yieldToOthers = ({ contact, memory, now, registration }: Candidate, took: bigint): void => {
  const pause = Duration.max(Duration.max(Duration.nanos(contact.heartbeat), minTimeout), Duration.nanos(2n * took))
  memory.yieldsUntil(now() + Duration.toNanosUnsafe(pause))
  registration.notToBeCalledUntil(now() + Duration.toNanosUnsafe(pause))
}

/** How the candidacy fares, without asking the database. */
export const health = ({ contact, lifecycle: { role }, witnessed: { witnesses } }: Candidate): Health => {
  const { failures, heartbeat, sinceAnswer } = contact
  return {
    role,
    sinceContact: sinceAnswer === undefined ? undefined : Duration.nanos(sinceAnswer),
    failures,
    witnesses,
    healthy: role === "Idle" || (sinceAnswer !== undefined && sinceAnswer < 3n * heartbeat)
  }
}
