import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as childProcess from "node:child_process"
import { once } from "node:events"
import { Signals } from "../../../src/Cli.ts"
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
      const starting = (child: childProcess.ChildProcess) => signals.starting({ group: child.pid!, helper: undefined })

      const first = yield* commandGroup
      const ended = yield* Effect.forkChild(Effect.promise(() => once(first, "exit")), { startImmediately: true })
      send("SIGUSR2")
      starting(first)
      send("SIGUSR1")
      signals.begin()
      assert.deepStrictEqual(yield* Fiber.join(ended), [null, "SIGUSR1"])
      signals.end()

      send("SIGUSR1")
      const second = yield* commandGroup
      const endedToo = yield* Effect.forkChild(Effect.promise(() => once(second, "exit")), { startImmediately: true })
      starting(second)
      signals.begin()
      send("SIGTERM")
      assert.deepStrictEqual(yield* Fiber.join(endedToo), [null, "SIGTERM"])
    }).pipe(Effect.scoped))

  for (const when of ["before it gets its launcher", "before it is known to have begun", "while it runs"]) {
    for (const isForeground of [true, false]) {
      it.effect(
        `of a command that is suspended ${when}: it goes on with ${isForeground ? "fg" : "bg, then fg"}, once`,
        () =>
          Effect.gen(function*() {
            const handlers = new Map<NodeJS.Signals, (signal: NodeJS.Signals) => void>()
            let foreground = false
            let given = 0
            const signals = new CommandSignals(new Transactions(), {
              stop: () => void (foreground = isForeground),
              isForeground: () => foreground
            })
            yield* Effect.provideService(signals.take, Signals, {
              take: (names, handle) => Effect.sync(() => names.forEach((name) => handlers.set(name, handle)))
            })
            const child = yield* commandGroup
            const helper = {
              pid: 1,
              dismiss: () => undefined,
              foreground: () => {
                given++
                foreground = false
                return undefined
              }
            }
            const steps: Readonly<Record<string, () => void>> = {
              "before it gets its launcher": () => signals.starting({ group: child.pid!, helper }),
              "before it is known to have begun": () => signals.begin(),
              "while it runs": () => {}
            }
            for (const [at, step] of Object.entries(steps)) {
              if (at === when) handlers.get("SIGTSTP")!("SIGTSTP")
              step()
            }
            assert.strictEqual(given, isForeground ? 1 : 0)
            foreground = !isForeground
            handlers.get("SIGCONT")!("SIGCONT")
            handlers.get("SIGCONT")!("SIGCONT")
            assert.strictEqual(given, 1)
          }).pipe(Effect.scoped)
      )
    }
  }
})
