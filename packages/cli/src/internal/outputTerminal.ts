/**
 * The terminal that standard output is. Node tells its size only of its own stream, which is opened for that: by those who ask, and
 * run no command that the terminal is shared with (see `standardStreams.ts`). Nothing is asked of the user.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Terminal from "effect/Terminal"
import * as tty from "node:tty"

/** A terminal that does not know its size says that it is 0. */
const sizeNow = (): Terminal.Size =>
  tty.isatty(1)
    ? { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
    : { columns: 80, rows: 24 }

/** A process that was suspended was not told that the size has changed meanwhile. */
const askAgain = () => process.kill(process.pid, "SIGWINCH")

const reads = Effect.die("the command does not read from the terminal")

export const terminal = Terminal.make({
  columns: Effect.sync(() => sizeNow().columns),
  rows: Effect.sync(() => sizeNow().rows),
  /** The size as it is now, and after each change. */
  size: Effect.gen(function*() {
    const queue = yield* Queue.sliding<Terminal.Size, Cause.Done>(1)
    const tell = () => void Queue.offerUnsafe(queue, sizeNow())
    tell()
    if (!tty.isatty(1)) return queue
    process.stdout.on("resize", tell)
    process.on("SIGCONT", askAgain)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        process.stdout.off("resize", tell)
        process.off("SIGCONT", askAgain)
      })
    )
    return queue
  }),
  readInput: reads,
  readLine: reads,
  display: () => Effect.void
})
