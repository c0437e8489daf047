/** Candidates in separate processes, which are killed when the scope closes. */
import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
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

export type ReportOf<Kind extends Report["kind"]> = Extract<CandidateReport, { readonly kind: Kind }>

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

/** A pool of candidates, none of which is started yet. They tell what they do by {@link Report}. */
export const pool = Effect.fnUntraced(function*(startProcess: (who: string) => ChildProcess) {
  const reports = yield* Queue.unbounded<CandidateReport>()
  const children = new Map<string, ChildProcess>()
  yield* Effect.addFinalizer(() => Effect.forEach(children.values(), kill, { concurrency: "unbounded", discard: true }))
  const send = (who: string, order: Order) => Effect.sync(() => void children.get(who)?.send(order))
  const signal = (who: string, sent: NodeJS.Signals) => Effect.sync(() => void children.get(who)?.kill(sent))
  const next = (waitingFor: string) =>
    Queue.take(reports).pipe(
      Effect.timeoutOrElse({ duration: "60 seconds", orElse: () => Effect.fail(new Stuck({ waitingFor })) })
    )
  /** Waits for a report of one kind, of one candidate if it is given. Other reports are dropped. */
  const nextOf = Effect.fnUntraced(function*<K extends Report["kind"]>(kind: K, who?: string) {
    while (true) {
      const report = yield* next(`${who ?? "a candidate"}: ${kind}`)
      if (report.kind === kind && (who === undefined || report.who === who)) {
        return report as ReportOf<K>
      }
    }
  })
  const startCandidate = (who: string) =>
    Effect.sync(() => {
      const child = startProcess(who)
      child.on("message", (report: Report) => Queue.offerUnsafe(reports, { ...report, who }))
      children.set(who, child)
    })
  return {
    start: startCandidate,
    next,
    nextOf,
    /** Starts a candidate, and waits until it campaigns. */
    begin: (who: string) =>
      Effect.andThen(startCandidate(who), Effect.map(nextOf("campaigns", who), ({ usage }) => usage)),
    resign: (who: string, backAfter: number) => send(who, { kind: "resign", backAfter }),
    /** Makes a candidate use so much memory. It reports when it does. */
    grow: (who: string, megabytes: number) => send(who, { kind: "grow", megabytes }),
    /** What a candidate has done so far. */
    usage: (who: string): Effect.Effect<Usage, Stuck> =>
      Effect.andThen(send(who, { kind: "tell" }), Effect.map(nextOf("used", who), ({ usage }) => usage)),
    /** Kills a candidate and waits until it is gone. */
    kill: (who: string) => Effect.suspend(() => kill(children.get(who)!)),
    signal,
    /** The process ids of those that live. */
    pids: Effect.sync(() =>
      [...children.values()].flatMap(({ exitCode, pid, signalCode }) =>
        pid === undefined || exitCode !== null || signalCode !== null ? [] : [pid]
      )
    )
  }
})

export type Candidates = Effect.Success<ReturnType<typeof pool>>

export interface Options {
  readonly store: Store
  /** Elections unless set. */
  readonly of?: Assignment["of"]
  /** The number of elections of each candidate, or of shards of all. */
  readonly elections: number
  readonly ticking?: boolean
  readonly config: ElectionConfig
}

/** Makes candidates without starting them. The elections, which they create, are removed when the scope closes. */
export const make = Effect.fnUntraced(
  function*({ config, elections, of = "elections", store, ticking = false }: Options) {
    const subspace = `effect-fdb benchmark ${process.pid} ${yield* Clock.monotonicTimeNanos}`
    const space = Subspace.fromTuple([subspace])
    const clear = Database.transact(Transaction.use((tx) => tx.clearRange(space.range())))
    const database = yield* Effect.context<Database>()
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.provideContext(clear, database)))
    const candidates = yield* pool((who) => {
      const assignment: Assignment = { store, subspace, id: who, of, elections, ticking, config: encode(config) }
      return start("candidate.js", assignment)
    })
    return {
      ...candidates,
      /** Waits until the work of each election has begun. Returns when the last did. */
      allLed: Effect.gen(function*() {
        for (let led = 1;; led++) {
          const { at } = yield* candidates.nextOf("works")
          if (led === elections) return at
        }
      }),
      /** The first election, for operations from outside. */
      election: LeaderElection.make(Subspace.fromTuple([subspace, 0]), { config })
    }
  }
)

export type ElectionCandidates = Effect.Success<ReturnType<typeof make>>

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
