/** A scheduler of a process in a test that can be killed. */
import type * as Scheduler from "effect/Scheduler"

/** Fibers take no step once their process is dead. */
export const killable = (base: Scheduler.Scheduler, isDead: () => boolean): Scheduler.Scheduler => ({
  executionMode: base.executionMode,
  shouldYield: (fiber) => isDead() || base.shouldYield(fiber),
  makeDispatcher: () => {
    const dispatcher = base.makeDispatcher()
    return {
      scheduleTask: (task, priority) =>
        dispatcher.scheduleTask(() => {
          if (!isDead()) task()
        }, priority),
      flush: () => dispatcher.flush()
    }
  }
})
