/**
 * What leaders do in a history. {@link make} is the default; a scenario can run another {@link Workload}, as the option
 * `work` of `Simulation.run`. A workload logs what it does as events of its process. Its checkers read these events and
 * the commits: each is a module of `checkers`, made by `Checker.make`, in the list of `Checkers`.
 */
import { type Database, FdbError, Transaction, Tuple } from "@effect-fdb/core"
import type { Leadership } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Detail, Details, EventLog } from "./EventLog.ts"
import type { Election } from "./internal/elections.ts"
import type { ProcessPlan } from "./Scenario.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"
import type { Sink } from "./Sink.ts"

/** The work of a process in each of its tenures of an election. */
export type Workload = (
  process: SimulatedProcess,
  plan: ProcessPlan,
  election: Election
) => (leadership: Leadership) => Effect.Effect<void, unknown, Database | Leadership | Scope.Scope>

/** The tag of the guarded transactions of an election. */
export const guardTag = ({ name }: Election): string => name === undefined ? "guarded" : `guarded ${name}`

class Failed extends Data.TaggedError("Failed") {}

const readCount = (value: Uint8Array | undefined): bigint => {
  const [count] = value === undefined ? [] : Result.getOrElse(Tuple.unpack(value), () => [])
  return typeof count === "bigint" ? count : 0n
}

const outcomeOf = (exit: Exit.Exit<void, FdbError | { readonly _tag: string }>): Detail => {
  if (Exit.isSuccess(exit)) return "done"
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return error instanceof FdbError ? error.code : error?._tag ?? "interrupted"
}

/** Increments a counter under `guard`, and sends to a sink with its token. Some of it ends slowly. */
export const make = (log: EventLog, sink: Sink): Workload => (process, { work: plan }, election) => (leadership) =>
  Effect.gen(function*() {
    const { counter, journal } = election
    // A guarded transaction must not use a lagging read version, even with these options.
    const guardOptions = { tag: guardTag(election), causalReadRisky: true }
    // The term as it is stored. The sink gets the fencing token.
    const { term } = yield* leadership.state
    const tell = (what: string, details: Details = {}) =>
      Effect.sync(() => log.add(process.name, what, { election: election.name, term, ...details }))
    const ends = plan.lasts === undefined
      ? undefined
      : (yield* Clock.monotonicTimeNanos) +
        BigInt(Math.floor(plan.lasts * 1e9 * (yield* Random.nextBetween(0.5, 1.5))))
    let steps = 0

    const count = (step: string) =>
      Effect.flatMap(
        Transaction,
        (tx) =>
          Effect.flatMap(tx.get(counter), (stored) =>
            tx.set(counter, Tuple.pack([readCount(stored) + 1n, process.name, term, step])))
      )

    const note = (step: string) =>
      Effect.flatMap(Transaction, (tx) => tx.set(journal.pack([step]), Tuple.pack([process.name, term])))

    const write = (what: "guarded" | "noted", step: string, body: ReturnType<typeof count>) => {
      let begun = 0
      const guarded = leadership.guard(body, { ...guardOptions, timeout: Duration.seconds(plan.guardTimeout) })
      return Effect.suspend(() => {
        begun = process.scheduler.now
        return guarded
      }).pipe(
        Effect.exit,
        Effect.tap((exit) => tell(what, { step, begun, outcome: outcomeOf(exit) }))
      )
    }

    const send = Effect.callback<boolean>((resume) => {
      sink(
        process,
        election.name,
        `${process.name}/${term}`,
        leadership.term,
        (accepted) => resume(Effect.succeed(accepted))
      )
    }).pipe(Effect.timeoutOption(Duration.seconds(plan.guardTimeout)))

    const act = (name: string, draw: number): Effect.Effect<unknown> => {
      const { external, guarded, journal = 0 } = plan
      if (draw < guarded) return write("guarded", name, count(name))
      // What an answer leads to at once is called by no timer, but by a socket: a step, or a note under guard.
      if (draw < guarded + external / 2) return Effect.andThen(send, tell("step"))
      if (draw < guarded + external) return Effect.andThen(send, write("noted", name, note(name)))
      return draw < guarded + external + journal ? write("noted", name, note(name)) : Effect.void
    }

    const pause = Effect.flatMap(
      Random.nextBetween(0.2, 1.8),
      (gaps) => Effect.sleep(Duration.millis(Math.ceil(1000 * plan.gap * gaps)))
    )

    // Most of what a history costs is its steps; so they are without generators.
    const step = Effect.andThen(
      Effect.andThen(pause, tell("step")),
      Effect.flatMap(Random.next, (draw) => act(`${process.name}/${term}/${++steps}`, draw))
    )

    const goesOn = Effect.map(Clock.monotonicTimeNanos, (now) => ends === undefined || now < ends)

    // A resource and a fiber in the scope of the tenure.
    const companion = Effect.acquireRelease(tell("acquires"), () => tell("releases")).pipe(
      Effect.andThen(Effect.forkScoped(Effect.forever(Effect.andThen(pause, tell("forked-step")))))
    )

    // A fiber that is none of the work's: nothing but the guard's own check refuses it when the belief is over.
    const outside: Effect.Effect<void> = Effect.flatMap(
      Effect.andThen(
        pause,
        Effect.suspend(() => {
          const name = `${process.name}/${term}/${++steps}`
          return write("noted", name, note(name))
        })
      ),
      (exit) =>
        Option.exists(Exit.findErrorOption(exit), ({ _tag }) => _tag === "LeadershipLost") ? Effect.void : outside
    )

    if (plan.scoped === true) yield* companion
    if (plan.outside === true) process.fork(Context.empty(), outside)
    yield* tell("work-begins", { guardTimeout: plan.guardTimeout, finalizer: plan.finalizer })
    yield* Effect.gen(function*() {
      if (plan.fails !== undefined) {
        yield* Effect.sleep(Duration.seconds(plan.fails))
        return yield* new Failed()
      }
      while (yield* goesOn) yield* step
    }).pipe(
      Effect.onExit((exit) =>
        tell("work-ends", { interrupted: Exit.hasInterrupts(exit) }).pipe(
          Effect.andThen(Effect.sleep(Duration.seconds(plan.finalizer))),
          Effect.andThen(tell("work-ended"))
        )
      )
    )
  })
