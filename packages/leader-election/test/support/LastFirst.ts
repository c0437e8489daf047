/** A scheduler to whom order means nothing: fibers give way every few steps, and what was queued last goes on first. */
import type { Scheduler } from "effect"

export class LastFirst implements Scheduler.Scheduler {
  readonly executionMode = "async"
  private readonly tasks: Array<() => void> = []
  private steps = 0

  shouldYield(): boolean {
    return ++this.steps % 3 === 0
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (task) => {
        if (this.tasks.push(task) === 1) setImmediate(this.drain)
      },
      flush: this.drain
    }
  }

  private readonly drain = (): void => {
    while (this.tasks.length > 0) this.tasks.pop()!()
  }
}
