/**
 * The size of the terminal that standard output is. Node tells it only of its own stream, which is opened for that: by whoever
 * asks, and runs no command that the terminal is shared with (see `standardStreams.ts`).
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type * as Terminal from "effect/Terminal"
import * as tty from "node:tty"

/** A terminal that does not know its size says that it is 0. */
const sizeNow = (): Terminal.Size =>
  tty.isatty(1)
    ? { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
    : { columns: 80, rows: 24 }

/** As it is now. */
export const current: Effect.Effect<Terminal.Size> = Effect.sync(sizeNow)

/** Who was suspended was not told that the size has changed meanwhile. */
const askAgain = () => process.kill(process.pid, "SIGWINCH")

const listen = (onResize: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      process.stdout.on("resize", onResize)
      process.on("SIGCONT", askAgain)
    }),
    () =>
      Effect.sync(() => {
        process.stdout.off("resize", onResize)
        process.off("SIGCONT", askAgain)
      })
  )

/** As it is now, and after each change. */
export const changes: Effect.Effect<Queue.Dequeue<Terminal.Size, Cause.Done>, never, Scope.Scope> = Effect.gen(
  function*() {
    const queue = yield* Queue.sliding<Terminal.Size, Cause.Done>(1)
    const tell = () => void Queue.offerUnsafe(queue, sizeNow())
    if (tty.isatty(1)) yield* listen(tell)
    tell()
    return queue
  }
)
