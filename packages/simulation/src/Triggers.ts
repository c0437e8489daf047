/** Moments at which a fault may strike, so that it meets what is under way then. */
import type { CommitKind } from "./internal/commitKind.ts"

/** A commit to the election that has arrived at the database, or a message to the sink that was sent. */
export type Trigger = CommitKind | "send"

/** Called with the process that brought the moment about. */
type Strike = (by: string) => void

export class Triggers {
  private readonly waiting = new Map<Trigger, Set<Strike>>()

  get isAwaited(): boolean {
    return this.waiting.size > 0
  }

  /** Calls once, at the next. Gives what ends the waiting. */
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
