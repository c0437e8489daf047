/**
 * A candidate for one of several slots: a candidate in the election of each, of which one may claim at a time. The one that is elected
 * leads, and the others leave their elections until the next campaign.
 */
import type { Database, Subspace } from "@effect-fdb/core"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { CandidateOptions } from "../../CandidateOptions.ts"
import type { ElectionConfig } from "../../ElectionConfig.ts"
import type { CampaignError, InvalidCandidate, InvalidConfig } from "../../ElectionError.ts"
import type { Health } from "../../Health.ts"
import type { SlotLeadership } from "../../Slots.ts"
import * as Candidate from "../candidate/candidate.ts"
import { defaultId } from "../candidate/defaultId.ts"
import * as Lock from "../candidate/lock.ts"
import { Registration } from "../candidate/registration.ts"
import * as ClaimOrder from "../follower/claimOrder.ts"
import { type Contender, elect, type Restore, type Won } from "../leader/withLeadership.ts"
import { validate } from "../protocol/validation.ts"
import * as Keys from "../storage/keys.ts"
import { registerJointly } from "./jointRegistration.ts"
import { slotSubspace, validateCount } from "./layout.ts"
import { SlotAdmission } from "./slotAdmission.ts"
import { readChoice } from "./slotOrder.ts"

type Candidate = Candidate.Candidate

/** What a candidacy needs of the slots. */
export interface SlotElections {
  readonly subspace: Subspace.Subspace
  readonly count: number
  readonly config: ElectionConfig | undefined
}

/**
 * Begins the campaigns: first in a vacant slot, if there is one, for who gets that has nothing to leave; then in all others. Candidates
 * that start at the same time choose different slots.
 */
const beginCampaigns = Effect.fnUntraced(function*(
  candidates: ReadonlyArray<Candidate>,
  admission: SlotAdmission,
  begin: (slot: number) => Effect.Effect<void>
) {
  const [{ contact, database }] = candidates as readonly [Candidate, ...ReadonlyArray<Candidate>]
  let first = 0
  if (candidates.length > 1) {
    yield* registerJointly(candidates)
    const choosing = database.transact(readChoice(candidates), { retryLimit: 0, timeout: contact.transactionTimeout })
    const choice = yield* Effect.orElseSucceed(choosing, () => undefined)
    if (choice !== undefined) {
      first = choice.slot
      yield* Effect.sleep(ClaimOrder.claimDelay(choice.rank))
      yield* begin(first)
      yield* admission.firstLook(first)
    }
  }
  for (let i = 0; i < candidates.length; i++) yield* begin((first + i) % candidates.length)
})

export class SlotCandidate implements Contender<SlotLeadership> {
  readonly id: string
  readonly about: { readonly id: string; readonly keys: { readonly name: string } }
  private readonly candidates: ReadonlyArray<Candidate>
  /** One campaign or tenure at a time. */
  private readonly lock = Semaphore.makeUnsafe(1)
  private admission: SlotAdmission
  /** Leaves the elections in which the last campaign was not elected. */
  private leaving: Fiber.Fiber<void> | undefined = undefined

  private constructor(
    id: string,
    name: string,
    candidates: ReadonlyArray<Candidate>
  ) {
    this.id = id
    this.about = { id, keys: { name } }
    this.candidates = candidates
    this.admission = new SlotAdmission(candidates)
  }

  /** A candidate in each election, until the scope is closed. */
  static readonly make = Effect.fnUntraced(function*(
    { config, count, subspace }: SlotElections,
    options: CandidateOptions
  ): Effect.fn.Return<SlotCandidate, InvalidCandidate | InvalidConfig, Database | Scope.Scope> {
    yield* validateCount(count)
    const id = options.id ?? (yield* defaultId)
    const made: { self?: SlotCandidate } = {}
    const candidates: Array<Candidate> = []
    for (let slot = 0; slot < count; slot++) {
      const election = { config, subspace: slotSubspace(subspace, slot) }
      candidates.push(
        yield* Candidate.make(election, { ...options, id }, undefined, {
          admit: (step, view, memory) => made.self!.admission.of(slot).admit(step, view, memory),
          followed: (step, view) => made.self!.admission.of(slot).followed(step, view)
        })
      )
    }
    const self = new SlotCandidate(id, Keys.make(subspace).name, candidates)
    made.self = self
    yield* Effect.addFinalizer(() => self.left)
    return self
  })

  /** Waits until the last campaign has left the elections in which it was not elected. */
  private readonly left: Effect.Effect<void> = Effect.suspend(() =>
    this.leaving === undefined ? Effect.void : Effect.asVoid(Fiber.await(this.leaving))
  )

  readonly elect = (restore: Restore): Effect.Effect<Won, CampaignError> =>
    Effect.gen({ self: this }, function*() {
      yield* Lock.take(this.lock, restore)
      const release = this.lock.release(1)
      const won = yield* Effect.onError(this.contend(restore), () => release)
      const { candidate: { registration }, scope } = won.tenure
      // It leaves the election that it has led, too: whoever waits for the slot has registered before its next registration.
      yield* Scope.addFinalizer(scope, Effect.ensuring(Registration.withdraw([registration]), release))
      return won
    })

  /** Campaigns in all elections until elected in one. */
  private contend(restore: Restore): Effect.Effect<Won, CampaignError> {
    return Effect.gen({ self: this }, function*() {
      const { candidates } = this
      yield* restore(this.left)
      const admission = new SlotAdmission(candidates)
      this.admission = admission
      const settled = Deferred.makeUnsafe<Won, CampaignError>()
      const fibers = new Map<number, Fiber.Fiber<void>>()
      let isOver = false
      const begin = (slot: number) =>
        Effect.suspend(() =>
          isOver || fibers.has(slot) ? Effect.void : Effect.map(
            Effect.forkDetach(campaignIn(candidates[slot]!, settled), { startImmediately: true }),
            (fiber) => void fibers.set(slot, fiber)
          )
        )
      const beginning = yield* beginCampaigns(candidates, admission, begin).pipe(
        Effect.onError((cause) => Deferred.failCause(settled, cause)),
        Effect.forkDetach({ startImmediately: true })
      )
      const outcome = yield* Effect.exit(restore(Deferred.await(settled)))
      isOver = true
      const campaigning = [beginning, ...fibers.values()]
      for (const fiber of campaigning) fiber.interruptUnsafe()
      const elected = Exit.isSuccess(outcome) ? outcome.value.tenure.candidate : undefined
      const others = candidates.flatMap((candidate) => candidate === elected ? [] : [candidate.registration])
      this.leaving = yield* Effect.forkDetach(
        Effect.andThen(Fiber.awaitAll(campaigning), Registration.withdraw(others)),
        { startImmediately: true }
      )
      if (elected === undefined) {
        // The interruption may have come when it was elected.
        yield* Fiber.awaitAll(campaigning)
        if (Deferred.isDoneUnsafe(settled)) {
          yield* Effect.ignoreCause(Effect.flatMap(Deferred.await(settled), ({ tenure: { end } }) => end.complete))
        }
        yield* this.left
      }
      return yield* outcome
    })
  }

  readonly present = (
    leadership: Parameters<Contender<SlotLeadership>["present"]>[0],
    candidate: Candidate
  ): SlotLeadership => ({
    ...leadership,
    slot: this.candidates.indexOf(candidate)
  })

  setPriority(priority: number): Effect.Effect<void, InvalidCandidate> {
    return Effect.andThen(
      validate(this.id, priority),
      Effect.forEach(this.candidates, ({ lifecycle, registration }) =>
        Effect.suspend(() => {
          registration.setPriority(priority)
          return lifecycle.wake
        }), { discard: true })
    )
  }

  /** That of the slot that it holds, else the worst of those for which it waits. */
  get health(): Health {
    const all = this.candidates.map(Candidate.health)
    const leading = all.find(({ role }) => role === "Leading")
    return leading ?? all.filter(({ role }) => role === "Following").reduce(worse, all[0]!)
  }
}

const worse = (a: Health, b: Health): Health => {
  if (a.role === "Idle" || a.sinceContact === undefined) return a.role === "Idle" ? b : a
  return b.sinceContact === undefined || Duration.isGreaterThan(b.sinceContact, a.sinceContact) ? b : a
}

/** Campaigns in the election of one slot. A tenure that comes too late to settle anything is resigned. */
const campaignIn = (candidate: Candidate, settled: Deferred.Deferred<Won, CampaignError>): Effect.Effect<void> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.exit(elect(candidate, restore)),
      (exit) =>
        Deferred.doneUnsafe(settled, exit) || Exit.isFailure(exit) ? Effect.void : exit.value.tenure.end.complete
    )
  )
