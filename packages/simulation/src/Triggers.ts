/** Events at which faults begin, so that they meet what is under way. */
import type { CommitKind } from "./internal/commitKind.ts"

/** A commit to the election that has arrived at the database, or a message to the sink that was sent. */
export type Trigger = CommitKind | "send"

/** Called with the process that caused the event. */
type Strike = (by: string) => void

export class Triggers {
  private readonly waiting = new Map<Trigger, Set<Strike>>()

  get isAwaited(): boolean {
    return this.waiting.size > 0
  }

  /** Calls once, at the next event. Returns the cancellation. */
  next(trigger: Trigger, strike: Strike): () => void {
    const others = this.waiting.get(trigger) ?? new Set()
    this.waiting.set(trigger, others.add(strike))
    return () => {
      others.delete(strike)
      if (others.size === 0) this.waiting.delete(trigger)
    }
  }

  fire(trigger: Trigger, by: string): void {
    const struck = this.waiting.get(trigger) ?? []
    this.waiting.delete(trigger)
    for (const strike of struck) strike(by)
  }
}
