/**
 * Which of the elections of its slots a candidate may claim: one at a time, so that it never holds two. A holder is challenged only where
 * no slot is vacant, and only the one of lowest priority.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Admission } from "../candidate/admission.ts"
import * as Protocol from "../protocol/protocol.ts"
import { type Identity, sameIdentity, type View } from "../protocol/records.ts"

/** What a candidate has last seen of a slot; a `Closed` one can be neither claimed nor challenged. */
export type Sight =
  | { readonly _tag: "Vacant" }
  | { readonly _tag: "Held"; readonly priority: number }
  | { readonly _tag: "Closed" }

/** What a look has seen that would take `step`. A lapsed lease may be claimed as a vacancy may. */
export const toSight = (step: Protocol.Step, { allowPreemption, enabled, leader }: View): Sight => {
  if (!enabled) return { _tag: "Closed" }
  if (leader._tag === "Vacant" || step._tag === "Claim") return { _tag: "Vacant" }
  return allowPreemption ? { _tag: "Held", priority: leader.priority } : { _tag: "Closed" }
}

/** Whether the holder of a slot is to be challenged before all others; `undefined` is a slot that has not been seen yet. */
export const mayChallenge = (sights: ReadonlyArray<Sight | undefined>, slot: number): boolean => {
  const own = sights[slot]
  return own?._tag === "Held" && sights.every((sight, other) =>
    sight !== undefined && sight._tag !== "Vacant" &&
    (sight._tag !== "Held" || sight.priority > own.priority || (sight.priority === own.priority && other >= slot))
  )
}

/** Whether a look shows that the slot is the candidate's before others: its holder is leaving, or has left, for it. */
const awaits = (step: Protocol.Step, { challenge, leader }: View, me: Identity): boolean => {
  if (step._tag === "Challenge") return true
  const by = leader._tag === "Vacant"
    ? leader.successor
    : challenge?.term === leader.term
    ? challenge.challenger
    : undefined
  return by !== undefined && sameIdentity(by, me)
}

/** A candidate in the election of one slot. */
interface Member {
  readonly lifecycle: { readonly wake: Effect.Effect<void> }
  readonly registration: { readonly identity: Identity | undefined }
}

/** The admission to the elections of all slots, for one campaign. */
export class SlotAdmission {
  private readonly members: ReadonlyArray<Member>
  private readonly sights: Array<Sight | undefined>
  private readonly firstLooks: ReadonlyArray<Deferred.Deferred<void>>
  /** The slot that it claims, or whose holder it has challenged. */
  private claimed: number | undefined = undefined
  /** Slots that it would have claimed or challenged. */
  private readonly refused = new Set<number>()

  constructor(members: ReadonlyArray<Member>) {
    this.members = members
    this.sights = members.map(() => undefined)
    this.firstLooks = members.map(() => Deferred.makeUnsafe<void>())
  }

  /** Waits for the first look at a slot in which it was not claimed. */
  firstLook(slot: number): Effect.Effect<void> {
    return Deferred.await(this.firstLooks[slot]!)
  }

  /** The admission to one of the elections. */
  of(slot: number): Admission {
    return {
      admit: (step, view, memory) => this.admit(slot, step, view, memory),
      followed: (step, view) => this.followed(slot, step, view)
    }
  }

  private admit(slot: number, step: Protocol.Step, view: View, memory: Protocol.Memory): Protocol.Step {
    this.sights[slot] = toSight(step, view)
    if (step._tag !== "Claim" && step._tag !== "Challenge") return step
    const isFree = this.claimed === undefined || this.claimed === slot
    if (isFree && (step._tag === "Claim" || mayChallenge(this.sights, slot))) {
      this.claimed = slot
      return step
    }
    this.refused.add(slot)
    const { observation } = memory
    // The lease of a holder that is not challenged may lapse; one that has lapsed is looked at again when the other claim is settled.
    const until = step._tag === "Challenge" && observation !== undefined ? Protocol.lapsesAt(observation) : undefined
    return { _tag: "Follow", until }
  }

  private followed(slot: number, step: Protocol.Step, view: View): Effect.Effect<void> {
    return Effect.suspend(() => {
      Deferred.doneUnsafe(this.firstLooks[slot]!, Effect.void)
      const { identity } = this.members[slot]!.registration
      if (this.claimed === slot && !(identity !== undefined && awaits(step, view, identity))) this.claimed = undefined
      if (this.claimed !== undefined) return Effect.void
      const ready = [...this.refused].filter((other) =>
        this.sights[other]?._tag === "Vacant" || mayChallenge(this.sights, other)
      )
      for (const other of ready) this.refused.delete(other)
      return Effect.forEach(ready, (other) => this.members[other]!.lifecycle.wake, { discard: true })
    })
  }
}
