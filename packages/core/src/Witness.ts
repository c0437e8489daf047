/**
 * The processes of a host witness each other's end: the kernel tells it, in milliseconds.
 *
 * The service is optional. Where it is provided, a leader election takes over from a process that was witnessed to have ended at
 * once, and waits for the lease of any other as before.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { electionOf, type Testimony } from "./Testimony.ts"

/**
 * What a process tells the others of its host, and what they have told. Safety rests on `hasDied` alone.
 *
 * @since 0.1.0
 * @category models
 */
export interface WitnessService {
  /**
   * Tells that from now on, until the scope closes, the end of this process is the end of this candidate. The others are told in the
   * background, and those that come later as well. Closing the scope takes it back.
   */
  readonly tell: (testimony: Testimony) => Effect.Effect<void, never, Scope.Scope>
  /**
   * Whether the process that has told this candidate, and has not taken it back, has ended, with all of its threads. The kernel has to
   * say so. A process that does not answer, has stopped, has closed its witness or cannot be reached has not ended.
   *
   * Never true of a candidate of this process. Once it is true it stays so, but that the oldest of thousands may be forgotten.
   */
  readonly hasDied: (testimony: Testimony) => boolean
  /**
   * Calls back soon after the end of a process, once for each candidate of `election` that it had told; of any election, if that is
   * `undefined`. `hasDied` is true by then. Until the scope closes. What was known before is not told again.
   *
   * The listener is called synchronously; it must be quick and must not throw.
   */
  readonly onDeath: (
    election: string | undefined,
    listener: (testimony: Testimony) => void
  ) => Effect.Effect<void, never, Scope.Scope>
  /**
   * How many other processes would know of the end of this candidate at once, as far as is known; for one of another process, this
   * process included. 0 for one that was not told.
   */
  readonly witnesses: (testimony: Testimony) => number
  /** The candidates of an election that this process and others tell now, in the order of registration. */
  readonly living: (election: string) => ReadonlyArray<Testimony>
}

/**
 * The witness of this process; see the module.
 *
 * @example const witness = Effect.serviceOption(Witness)
 * @since 0.1.0
 * @category services
 */
export class Witness extends Context.Service<Witness, WitnessService>()("@effect-fdb/core/Witness") {
  /**
   * Makes the service from functions that tell and hear of deaths.
   *
   * @param registry `tell` and `onDeath` begin at once, and give what ends them; a listener is called for every election
   */
  static readonly fromRegistry = (
    registry: Pick<WitnessService, "hasDied" | "witnesses" | "living"> & {
      readonly tell: (testimony: Testimony) => () => void
      readonly onDeath: (listener: (testimony: Testimony) => void) => () => void
    }
  ): WitnessService => {
    const during = (begin: () => () => void) =>
      Effect.asVoid(Effect.acquireRelease(Effect.sync(begin), (end) => Effect.sync(end)))
    return {
      tell: (testimony) => during(() => registry.tell(testimony)),
      hasDied: (testimony) => registry.hasDied(testimony),
      onDeath: (election, listener) =>
        during(() =>
          registry.onDeath((testimony) => {
            if (election === undefined || electionOf(testimony) === election) listener(testimony)
          })
        ),
      witnesses: (testimony) => registry.witnesses(testimony),
      living: (election) => registry.living(election)
    }
  }
}
