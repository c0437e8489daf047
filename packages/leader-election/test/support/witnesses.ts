/** Processes of one host in a test, that share a database and witness each other. */
import { type InstrumentedEngine, Witness } from "@effect-fdb/core"
import { Effect, Scheduler } from "effect"
import { TestClock } from "effect/testing"
import type { ElectionConfig } from "../../src/index.ts"
import { killable } from "../../src/internal/testing/killable.ts"
import * as TestWitness from "../../src/testing/TestWitness.ts"
import { election, transact } from "./candidates.ts"
import { type Host, makeHosts } from "./host.ts"

export interface Process extends Host {
  readonly witness: TestWitness.TestProcess
  /** Ends it as `kill -9` does: no fiber takes another step, and the others are told. */
  readonly kill: Effect.Effect<void>
}

/** Makes processes on an election, and tells how the others hear of a death. */
export const makeProcesses = Effect.fnUntraced(function*(
  options: {
    readonly config?: ElectionConfig
    readonly latencies?: InstrumentedEngine.Latencies
    readonly deliver?: TestWitness.Options["deliver"]
  } = {}
) {
  // Where the test clock was never adjusted, the first sleep in a finalizer of an interrupted fiber would end it.
  yield* TestClock.adjust(0)
  const makeHost = yield* makeHosts(options.latencies)
  const { hold, release, start } = TestWitness.make({ deliver: options.deliver })
  yield* Effect.forkChild(makeHost().run(transact(election.initialize(options.config))))
  yield* TestClock.adjust("1 second")
  const make = Effect.map(start, (witness): Process => {
    const host = makeHost()
    const { run } = host
    let isDead = false
    return Object.assign(host, {
      witness,
      run: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        run(effect).pipe(
          Effect.provideService(Witness, witness.witness),
          Effect.updateService(Scheduler.Scheduler, (base) => killable(base, () => isDead))
        ) as never,
      kill: Effect.suspend(() => {
        isDead = true
        return witness.end
      })
    })
  })
  return { make, hold, release }
})
