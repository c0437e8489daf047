/** The events of one candidate: to the observer at once, and then to the log and the metrics. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ElectionEvent } from "../../ElectionEvent.ts"
import type { ElectionMetrics } from "../../ElectionMetrics.ts"
import * as Log from "./log.ts"
import { Telemetry } from "./telemetry.ts"

type Writable = ElectionEvent & { election: string; candidate: string }

type WithoutAbout<Event> = Event extends ElectionEvent ? Omit<Event, "election" | "candidate"> : never

export class Events {
  private readonly election: string
  private readonly candidate: string
  private readonly observer: (event: ElectionEvent) => void
  private readonly telemetry: Telemetry

  constructor(
    election: string,
    candidate: string,
    observer: (event: ElectionEvent) => void,
    metrics: typeof ElectionMetrics.Service
  ) {
    this.election = election
    this.candidate = candidate
    this.observer = observer
    this.telemetry = new Telemetry(election, candidate, metrics)
  }

  /** Tells the observer within this call, and gives what remains to be done: to log and to measure. */
  announce(event: WithoutAbout<ElectionEvent>): Effect.Effect<void> {
    // The caller's own literal: its constructor, which goes through a proxy, would be a twelfth of a heartbeat; a copy is slow, too.
    const whole = event as Writable
    whole.election = this.election
    whole.candidate = this.candidate
    // An observer that throws, against its contract, must not keep the work of a lost tenure from being interrupted.
    const told = Result.try(() => this.observer(whole))
    // A logger or metric that throws must not end a campaign, or a tenure, that is well.
    const recorded = Effect.catchDefect(this.telemetry.record(whole), () => Effect.void)
    return Result.isSuccess(told)
      ? recorded
      : Effect.andThen(recorded, Log.error("an ElectionObserver threw an exception", told.failure))
  }

  /** Tells the observer, logs and measures. */
  tell(event: WithoutAbout<ElectionEvent>): Effect.Effect<void> {
    return Effect.suspend(() => this.announce(event))
  }

  /** No event follows: gives the metrics up. */
  close(): void {
    this.telemetry.close()
  }
}
