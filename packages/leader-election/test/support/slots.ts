/** Processes that campaign for slots, on hosts that share a database in memory. */
import { type InstrumentedEngine, Subspace, type Transaction } from "@effect-fdb/core"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type Candidacy, LeaderElection, type Slots } from "../../src/index.ts"
import { transact } from "./candidates.ts"
import { type Host, makeHosts } from "./host.ts"

export const subspace = Subspace.fromTuple(["app", "importers"])

/** A database that is some way away. */
export const near = { readVersion: "1 millis", read: "1 millis", commit: "3 millis" } as const

/** The works that run. */
export class Works {
  /** The process whose work runs in a slot. */
  readonly running = new Map<number, string>()
  readonly log: Array<string> = []
  /** Two works in a slot, or two of a process. */
  readonly problems: Array<string> = []
  most = 0

  /** A work of a process that goes on for as long as `body` does. */
  readonly of = (name: string, body: Effect.Effect<unknown> = Effect.never) => ({ slot, term }: Slots.SlotLeadership) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const other = this.running.get(slot)
        if (other !== undefined) this.problems.push(`${name} and ${other} in slot ${slot}`)
        if ([...this.running.values()].includes(name)) this.problems.push(`${name} in two slots`)
        this.running.set(slot, name)
        this.most = Math.max(this.most, this.running.size)
        this.log.push(`${name} begins ${slot} ${term}`)
      }),
      () => body,
      () =>
        Effect.sync(() => {
          if (this.running.get(slot) === name) this.running.delete(slot)
          this.log.push(`${name} ends ${slot}`)
        })
    )

  /** Who works, in the order of the slots. */
  get holders(): Array<string> {
    return [...this.running].toSorted(([a], [b]) => a - b).map(([, name]) => name)
  }

  slotOf(name: string): number | undefined {
    return [...this.running].find(([, holder]) => holder === name)?.[0]
  }
}

export interface Process {
  readonly name: string
  readonly host: Host
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** Ends its campaign, or its work. */
  readonly end: Effect.Effect<void>
  /** Cuts it off for good. Its work goes on until its own belief is over. */
  readonly cutOff: Effect.Effect<void>
}

interface StartOptions extends Candidacy.CandidateOptions, Candidacy.LeadOptions {
  readonly slots?: Slots.Slots | undefined
  readonly body?: Effect.Effect<unknown> | undefined
}

/** A database with a number of slots, that are set up already. */
export const makeSlots = Effect.fnUntraced(function*(
  count: number,
  latencies: InstrumentedEngine.Latencies = {},
  options: LeaderElection.ElectionOptions = {}
) {
  yield* TestClock.adjust(0)
  const makeHost = yield* makeHosts(latencies)
  const slots = LeaderElection.slots(subspace, count, options)
  const operator = makeHost()
  /** Runs a transaction of an operator, however long it takes. */
  const operate = <A, E>(body: Effect.Effect<A, E, Transaction>) =>
    Effect.gen(function*() {
      const running = yield* Effect.forkChild(operator.run(transact(body)), { startImmediately: true })
      while (running.pollUnsafe() === undefined) yield* TestClock.adjust("1 millis")
      return yield* Fiber.join(running)
    })
  for (const election of slots.elections) yield* operate(election.initialize(options.config))
  const works = new Works()
  let made = 0
  /** Starts a process; its id is its name. */
  const start = (options: StartOptions = {}) =>
    Effect.gen(function*() {
      const name = `p${made++}`
      const host = makeHost()
      const { again = true, body, slots: own = slots, ...candidate } = options
      const led = host.run(own.withLeadership({ id: name, ...candidate }, works.of(name, body), { again }))
      const fiber = yield* Effect.forkDetach(led, { startImmediately: true })
      const process: Process = {
        name,
        host,
        fiber,
        end: Effect.andThen(
          Effect.forkDetach(Fiber.interrupt(fiber), { startImmediately: true }),
          TestClock.adjust("100 millis")
        ),
        cutOff: Effect.sync(() => {
          host.connection = "hangs"
        })
      }
      return process
    })
  const startMany = (count: number, options: StartOptions = {}) =>
    Effect.forEach(Array.from({ length: count }), () => start(options))
  /** Who is registered in each election. */
  const registered = Effect.forEach(
    slots.elections,
    ({ listCandidates }) =>
      Effect.map(operate(listCandidates), (candidates) => candidates.map(({ processId }) => processId))
  )
  const holders = Effect.map(
    operate(slots.readHolders),
    (holders) => holders.map(({ slot, state }) => `${slot} ${state.leaderId}`)
  )
  return { makeHost, slots, works, start, startMany, operate, registered, holders }
})
