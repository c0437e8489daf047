/** The candidates' processes: started, asked to resign, killed with the scope. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Order, Report } from "./messages.ts"

/** A report, and whose it is. */
export type Testimony = Report & { readonly who: string }

const program = fileURLToPath(new URL("candidate.js", import.meta.url))

const end = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

export interface Troupe {
  /** The next report of any of them. */
  readonly next: Effect.Effect<Testimony>
  readonly resign: (who: string, backAfter: number) => Effect.Effect<void>
}

/** Starts them on the database of a directory. */
export const make = Effect.fnUntraced(function*(directory: string, names: ReadonlyArray<string>) {
  const reports = yield* Queue.unbounded<Testimony>()
  const children = new Map<string, ChildProcess>()
  for (const who of names) {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        fork(program, [directory, who], { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"] })
      ),
      end
    )
    child.on("message", (report: Report) => Queue.offerUnsafe(reports, { ...report, who }))
    children.set(who, child)
  }
  const troupe: Troupe = {
    next: Queue.take(reports),
    resign: (who, backAfter) =>
      Effect.sync(() => {
        const order: Order = { resign: { backAfter } }
        children.get(who)?.send(order)
      })
  }
  return troupe
})
