import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as childProcess from "node:child_process"
import { once } from "node:events"
import { Signals } from "../../../src/Cli.ts"
import type { LauncherProcess } from "../../../src/internal/run/launcherProcess.ts"
import { CommandSignals } from "../../../src/internal/run/signals.ts"
import { Transactions } from "../../../src/internal/run/transactions.ts"

/** A process group that ends by the first signal it gets. */
const commandGroup = Effect.acquireRelease(
  Effect.promise(async () => {
    const child = childProcess.spawn("sleep", ["1000"], { detached: true, stdio: "ignore" })
    await once(child, "spawn")
    return child
  }),
  (child) => Effect.sync(() => child.kill("SIGKILL"))
)

describe("the signals of the wrapper", () => {
  it.live("reach a command that has been told to begin and is not yet known to have begun, and no later command", () =>
    Effect.gen(function*() {
      const handlers: Array<(signal: NodeJS.Signals) => void> = []
      const signals = new CommandSignals(new Transactions())
      yield* Effect.provideService(signals.take, Signals, {
        take: (_, handle) => Effect.sync(() => void handlers.push(handle))
      })
      const send = handlers[0]!
      const begin = (child: childProcess.ChildProcess) =>
        signals.begin({ group: child.pid!, helper: undefined } as LauncherProcess)

      const first = yield* commandGroup
      const ended = yield* Effect.forkChild(Effect.promise(() => once(first, "exit")), { startImmediately: true })
      send("SIGUSR2")
      signals.starting()
      send("SIGUSR1")
      begin(first)
      assert.deepStrictEqual(yield* Fiber.join(ended), [null, "SIGUSR1"])
      signals.end()

      send("SIGUSR1")
      const second = yield* commandGroup
      const endedToo = yield* Effect.forkChild(Effect.promise(() => once(second, "exit")), { startImmediately: true })
      signals.starting()
      begin(second)
      send("SIGTERM")
      assert.deepStrictEqual(yield* Fiber.join(endedToo), [null, "SIGTERM"])
    }).pipe(Effect.scoped))
})
