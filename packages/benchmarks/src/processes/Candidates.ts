/** Candidates in separate processes, which are killed when the scope closes. */
import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { type ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { ChildProcess } from "node:child_process"
import { type Assignment, type Order, type Report, start } from "./messages.ts"
import type { Store } from "./Store.ts"

/** A report and its sender. */
export type CandidateReport = Report & { readonly who: string }

/** No report has arrived for a long time. */
export class Stuck extends Data.TaggedError("Stuck")<{ readonly waitingFor: string }> {
  override get message(): string {
    return `nothing happens: waited too long for ${this.waitingFor}`
  }
}

const kill = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

export interface Options {
  readonly store: Store
  readonly names: ReadonlyArray<string>
  /** The number of elections of each candidate. */
  readonly elections: number
  readonly config: ElectionConfig
}

/** Makes candidates without starting them, and their elections, which are removed when the scope closes. */
export const make = Effect.fnUntraced(function*({ config, elections, names, store }: Options) {
  const subspace = `effect-fdb benchmark ${process.pid} ${yield* Clock.monotonicTimeNanos}`
  const space = Subspace.fromTuple([subspace])
  for (let index = 0; index < elections; index++) {
    yield* Database.transact(LeaderElection.make(Subspace.fromTuple([subspace, index])).initialize(config))
  }
  const clear = Database.transact(Transaction.use((tx) => tx.clearRange(space.range())))
  const database = yield* Effect.context<Database>()
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.provideContext(clear, database)))
  const reports = yield* Queue.unbounded<CandidateReport>()
  const children = new Map<string, ChildProcess>()
  yield* Effect.addFinalizer(() => Effect.forEach(children.values(), kill, { discard: true }))
  const send = (who: string, order: Order) => Effect.sync(() => void children.get(who)?.send(order))
  return {
    names,
    start: (who: string) =>
      Effect.sync(() => {
        const assignment: Assignment = { store, subspace, id: who, elections }
        const child = start("candidate.js", assignment)
        child.on("message", (report: Report) => Queue.offerUnsafe(reports, { ...report, who }))
        children.set(who, child)
      }),
    next: (waitingFor: string) =>
      Queue.take(reports).pipe(
        Effect.timeoutOrElse({ duration: "60 seconds", orElse: () => Effect.fail(new Stuck({ waitingFor })) })
      ),
    resign: (who: string, backAfter: number) => send(who, { kind: "resign", backAfter }),
    tell: (who: string) => send(who, { kind: "tell" }),
    /** Kills a candidate and waits until it is gone. */
    kill: (who: string) => Effect.suspend(() => kill(children.get(who)!))
  }
})

export type Candidates = Effect.Success<ReturnType<typeof make>>

/** The milliseconds of each of `count` small commits, one after another. */
export const blindCommits = Effect.fnUntraced(function*(count: number) {
  const key = Subspace.fromTuple([`effect-fdb benchmark ${process.pid}`]).pack(["commits"])
  const took: Array<number> = []
  for (let i = 0; i < count; i++) {
    const begun = yield* Clock.monotonicTimeNanos
    yield* Database.transact(Transaction.use((tx) => tx.set(key, new Uint8Array(8).fill(i % 256))))
    took.push(Number((yield* Clock.monotonicTimeNanos) - begun) / 1e6)
  }
  yield* Database.transact(Transaction.use((tx) => tx.clear(key)))
  return took
})
