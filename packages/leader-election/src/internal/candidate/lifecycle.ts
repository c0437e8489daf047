/**
 * Where a candidacy stands, as a value, and the transitions between these values.
 *
 * ```
 * Idle ── campaign ─→ Following ── elected ─→ Leading ── end ─→ Ending ── ended ─→ Idle
 *                          └────────── end ──────────────────────↗            └──→ Closed, where it is closing
 * ```
 */
import * as Effect from "effect/Effect"
import type { Health } from "../../Health.ts"

/** `closing`: its scope is closed. What goes on is ended, and the candidate leaves with that end. */
export type State =
  | { readonly _tag: "Idle" }
  /** `maybe-committed`: a claim was sent, and its outcome is not known. */
  | { readonly _tag: "Following"; readonly claim: "none" | "maybe-committed"; readonly closing: boolean }
  | { readonly _tag: "Leading"; readonly term: bigint; readonly closing: boolean }
  /** A campaign or a tenure is over for the process, and is being ended in the database. */
  | { readonly _tag: "Ending"; readonly of: "Following" | "Leading"; readonly closing: boolean }
  | { readonly _tag: "Closed" }

/** What happens to a candidacy. */
export type Signal =
  | { readonly _tag: "Campaign" }
  | { readonly _tag: "Claim" }
  | { readonly _tag: "Elected"; readonly term: bigint }
  | { readonly _tag: "End" }
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Close" }

/** The state that follows; `undefined` where the signal is refused. */
export const transition = (state: State, signal: Signal): State | undefined => {
  if (signal._tag === "Close") {
    return state._tag === "Idle" || state._tag === "Closed" ? { _tag: "Closed" } : { ...state, closing: true }
  }
  switch (state._tag) {
    case "Idle":
      return signal._tag === "Campaign" ? { _tag: "Following", claim: "none", closing: false } : undefined
    case "Following":
      if (signal._tag === "Claim") return { ...state, claim: "maybe-committed" }
      if (signal._tag === "Elected" && state.claim === "maybe-committed") {
        return { _tag: "Leading", term: signal.term, closing: state.closing }
      }
      return signal._tag === "End" ? { _tag: "Ending", of: "Following", closing: state.closing } : undefined
    case "Leading":
      return signal._tag === "End" ? { _tag: "Ending", of: "Leading", closing: state.closing } : undefined
    case "Ending":
      if (signal._tag !== "Ended") return undefined
      return state.closing ? { _tag: "Closed" } : { _tag: "Idle" }
    case "Closed":
      return undefined
  }
}

/** A state in words. */
export const format = (state: State): string => {
  const more = [
    state._tag === "Following" && state.claim === "maybe-committed" ? "claim maybe committed" : "",
    state._tag === "Leading" ? `term ${state.term}` : "",
    state._tag === "Ending" ? state.of : "",
    "closing" in state && state.closing ? "closing" : ""
  ].filter((part) => part !== "")
  return more.length === 0 ? state._tag : `${state._tag} (${more.join(", ")})`
}

/** What reaches the campaign or tenure that goes on. */
interface Running {
  /** Cuts its wait short. */
  readonly wake: Effect.Effect<void>
  /** Ends the belief in its tenure. */
  readonly stepDown: Effect.Effect<void>
}

const nothing: Running = { wake: Effect.void, stepDown: Effect.void }

/** The state of one candidacy. */
export class Lifecycle {
  private state: State = { _tag: "Idle" }
  private running = nothing

  private send(signal: Signal): boolean {
    const next = transition(this.state, signal)
    if (next !== undefined) this.state = next
    return next !== undefined
  }

  /** Whether its scope is closed: it campaigns no more. */
  get isClosing(): boolean {
    return this.state._tag === "Closed" || (this.state._tag !== "Idle" && this.state.closing)
  }

  /** Whether a tenure may stand in the database of which it was not told. */
  get mayHaveClaimed(): boolean {
    return this.state._tag === "Following" && this.state.claim === "maybe-committed"
  }

  get role(): Health["role"] {
    const { state } = this
    if (state._tag === "Ending") return state.of
    return state._tag === "Closed" ? "Idle" : state._tag
  }

  /** Begins a campaign that `wake` wakes; `false` where the candidacy is closed. */
  campaign(wake: Effect.Effect<void>): boolean {
    const begins = this.send({ _tag: "Campaign" })
    if (begins) this.running = { ...nothing, wake }
    return begins
  }

  claim(): void {
    this.send({ _tag: "Claim" })
  }

  elected(term: bigint, stepDown: Effect.Effect<void>): void {
    this.running = { ...this.running, stepDown }
    this.send({ _tag: "Elected", term })
  }

  /** From now on `wake` wakes what goes on. */
  wokenBy(wake: Effect.Effect<void>): void {
    this.running = { ...this.running, wake }
  }

  /** What goes on is over for the process. */
  end(): void {
    this.send({ _tag: "End" })
  }

  /** Nothing goes on any more. Tells whether the candidate is to leave now. */
  ended(): boolean {
    this.running = nothing
    this.send({ _tag: "Ended" })
    return this.isClosing
  }

  /** The candidate leaves when what goes on has ended. Tells whether it is to leave now, as nothing goes on. */
  close(): boolean {
    this.send({ _tag: "Close" })
    return this.state._tag === "Closed"
  }

  /** Cuts the wait of what goes on short. */
  readonly wake: Effect.Effect<void> = Effect.suspend(() => this.running.wake)

  /** Ends the belief in the tenure that goes on, if one does. */
  readonly stepDown: Effect.Effect<void> = Effect.suspend(() => this.running.stepDown)
}
