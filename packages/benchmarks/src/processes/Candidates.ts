/** Candidates in separate processes, which are killed when the scope closes. */
import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type { ChildProcess } from "node:child_process"
import { type Assignment, type Order, type Report, start, type Usage } from "./messages.ts"
import type { Store } from "./Store.ts"

/** A report and its sender. */
export type CandidateReport = Report & { readonly who: string }

/** No report has arrived for a long time. */
export class Stuck extends Data.TaggedError("Stuck")<{ readonly waitingFor: string }> {
  override get message(): string {
    return `nothing happens: waited too long for ${this.waitingFor}`
  }
}

const encode = Schema.encodeSync(Schema.toCodecJson(ElectionConfig))

const kill = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

export interface Options {
  readonly store: Store
  /** Elections unless set. */
  readonly of?: Assignment["of"]
  /** The number of elections of each candidate, or of shards of all. */
  readonly elections: number
  readonly config: ElectionConfig
}

/** Makes candidates without starting them. The elections, which they create, are removed when the scope closes. */
export const make = Effect.fnUntraced(function*({ config, elections, of = "elections", store }: Options) {
  const subspace = `effect-fdb benchmark ${process.pid} ${yield* Clock.monotonicTimeNanos}`
  const space = Subspace.fromTuple([subspace])
  const clear = Database.transact(Transaction.use((tx) => tx.clearRange(space.range())))
  const database = yield* Effect.context<Database>()
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.provideContext(clear, database)))
  const reports = yield* Queue.unbounded<CandidateReport>()
  const children = new Map<string, ChildProcess>()
  yield* Effect.addFinalizer(() => Effect.forEach(children.values(), kill, { discard: true }))
  const send = (who: string, order: Order) => Effect.sync(() => void children.get(who)?.send(order))
  const next = (waitingFor: string) =>
    Queue.take(reports).pipe(
      Effect.timeoutOrElse({ duration: "60 seconds", orElse: () => Effect.fail(new Stuck({ waitingFor })) })
    )
  const awaitUsage = Effect.fnUntraced(function*(who: string, kind: "campaigns" | "used") {
    while (true) {
      const report = yield* next(`${who}: ${kind}`)
      if (report.kind === kind && report.who === who) return report.usage
    }
  })
  const startCandidate = (who: string) =>
    Effect.sync(() => {
      const assignment: Assignment = { store, subspace, id: who, of, elections, config: encode(config) }
      const child = start("candidate.js", assignment)
      child.on("message", (report: Report) => Queue.offerUnsafe(reports, { ...report, who }))
      children.set(who, child)
    })
  return {
    start: startCandidate,
    next,
    /** Starts a candidate, and waits until it campaigns. */
    begin: (who: string) => Effect.andThen(startCandidate(who), awaitUsage(who, "campaigns")),
    /** Waits until the work of each election has begun. Returns when the last did. */
    allLed: Effect.gen(function*() {
      for (let led = 1;; led++) {
        let report = yield* next("leaderships")
        while (report.kind !== "works") report = yield* next("leaderships")
        if (led === elections) return report.at
      }
    }),
    resign: (who: string, backAfter: number) => send(who, { kind: "resign", backAfter }),
    /** What a candidate has done so far. */
    usage: (who: string): Effect.Effect<Usage, Stuck> =>
      Effect.andThen(send(who, { kind: "tell" }), awaitUsage(who, "used")),
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
