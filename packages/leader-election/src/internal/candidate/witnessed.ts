/**
 * What a candidate tells the other processes of its host, and what they have told it. A process that has ended believes in no tenure of
 * its registrations (4); without a witness none is known to have ended.
 */
import { Testimony, type WitnessService } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Identity } from "../protocol/records.ts"

interface Told {
  readonly testimony: Testimony.Testimony
  readonly scope: Scope.Closeable
}

export class Witnessed {
  private readonly witness: WitnessService | undefined
  private readonly election: string
  private told: Told | undefined = undefined

  constructor(witness: WitnessService | undefined, election: string) {
    this.witness = witness
    this.election = election
  }

  private testimonyOf({ id, registration }: Identity): Testimony.Testimony {
    return Testimony.make(this.election, id, registration)
  }

  /** Tells that its end is that of this registration, and no longer of the last one. */
  tell(me: Identity): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { told, witness } = this
      const testimony = this.testimonyOf(me)
      if (witness === undefined || told?.testimony === testimony) return Effect.void
      const scope = Scope.makeUnsafe()
      this.told = { testimony, scope }
      const before = told === undefined ? Effect.void : Scope.close(told.scope, Exit.void)
      return Effect.andThen(before, Scope.provide(witness.tell(testimony), scope))
    })
  }

  /** Takes back what it has told. */
  readonly takeBack: Effect.Effect<void> = Effect.suspend(() => {
    const { told } = this
    this.told = undefined
    return told === undefined ? Effect.void : Scope.close(told.scope, Exit.void)
  })

  /** Whether the process that has registered a candidate was witnessed to have ended. */
  hasDied(candidate: Identity): boolean {
    return this.witness !== undefined && this.witness.hasDied(this.testimonyOf(candidate))
  }

  /** Calls back when the process of any candidate of the election has ended, until the scope closes. */
  onDeath(listener: () => void): Effect.Effect<void, never, Scope.Scope> {
    return this.witness === undefined ? Effect.void : this.witness.onDeath(this.election, listener)
  }

  /** How many other processes would know of its end at once. */
  get witnesses(): number {
    return this.witness === undefined || this.told === undefined ? 0 : this.witness.witnesses(this.told.testimony)
  }

  /** How many of the candidates that live on this host have registered before it. */
  rank(me: Identity): number {
    if (this.witness === undefined) return 0
    const own = this.testimonyOf(me)
    return this.witness.living(this.election).filter((other) => other < own).length
  }
}
