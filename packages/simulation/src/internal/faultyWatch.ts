/** A watch over a link. It may fire late, spuriously, or never. */
import { type Engine, FdbError } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import { second } from "../EventScheduler.ts"
import type { Link } from "../Link.ts"
import { runNow } from "./runNow.ts"

type Answer = Effect.Effect<void, FdbError>

export interface FaultyWatch extends Engine.EngineWatch {
  /** Starts the watch after the commit of its transaction. */
  readonly start: () => void
  readonly forget: () => void
  readonly fail: (code: number) => void
}

/** Decorates a watch, which is one of `open` until it has fired or was forgotten. */
export const makeWatch = (link: Link, inner: Engine.EngineWatch, open: Set<FaultyWatch>): FaultyWatch => {
  const { database, process, random } = link
  let answer: Answer | undefined
  const waiting = new Set<(answer: Answer) => void>()
  let listening = false

  const settle = (given: Answer): void => {
    if (answer !== undefined) return
    answer = given
    for (const resume of waiting) resume(given)
  }
  const notify = (): void => {
    if (answer !== undefined) return
    link.toProcess(link.latency(), () => {
      open.delete(watch)
      settle(Effect.void)
    })
  }
  const end = (code: number): void => {
    watch.forget()
    settle(Effect.fail(new FdbError({ code, phase: "watch" })))
  }

  const watch: FaultyWatch = {
    fired: Effect.callback<void, FdbError>((resume) => {
      if (answer !== undefined) return resume(answer)
      waiting.add(resume)
      return Effect.sync(() => void waiting.delete(resume))
    }),
    cancel: Effect.sync(() => end(1025)),
    start: () => {
      if (listening || answer !== undefined) return
      listening = true
      const { lostWatch, spuriousWatch } = database.rates
      if (random.happens(spuriousWatch)) {
        process.scheduler.after(Math.floor(random.exponential(5 * second)), notify)
      }
      const lost = random.happens(lostWatch)
      if (lost) database.log.add(process.name, "fault", { kind: "lost-watch" })
      Effect.runFork(inner.fired).addObserver((exit) => {
        if (exit._tag === "Success" && !lost) notify()
      })
    },
    forget: () => {
      open.delete(watch)
      runNow(inner.cancel)
    },
    fail: (code) => process.post(() => end(code))
  }
  open.add(watch)
  return watch
}
