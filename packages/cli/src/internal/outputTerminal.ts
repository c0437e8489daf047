/**
 * The terminal of standard output, for its size, which only Node's own stream reports. Subcommands that share the terminal with a
 * command must not open that stream (see `standardStreams.ts`).
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Terminal from "effect/Terminal"
import { isTerminal } from "./isTerminal.ts"

/** A terminal that does not know its size reports 0. */
const sizeNow = (): Terminal.Size => {
  const { columns, rows } = isTerminal(1) ? process.stdout : {}
  return { columns: columns || 80, rows: rows || 24 }
}

/** A suspended process misses changes of the size. */
const askAgain = () => process.kill(process.pid, "SIGWINCH")

const reads = Effect.die("the command does not read from the terminal")

export const terminal = Terminal.make({
  columns: Effect.sync(() => sizeNow().columns),
  rows: Effect.sync(() => sizeNow().rows),
  /** The present size, and the size after each change. */
  size: Effect.gen(function*() {
    const queue = yield* Queue.sliding<Terminal.Size, Cause.Done>(1)
    const tell = () => void Queue.offerUnsafe(queue, sizeNow())
    tell()
    if (!isTerminal(1)) return queue
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
