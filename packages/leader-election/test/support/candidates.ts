/** Candidates in an election of hosts that share a database in memory. */
import { Database, type InstrumentedEngine, Subspace, type Transaction } from "@effect-fdb/core"
import { it } from "@effect/vitest"
import { Effect, Fiber, Option, type Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  type Candidacy,
  type ElectionConfig,
  type ElectionEvent,
  LeaderElection,
  type Leadership
} from "../../src/index.ts"
import { type Host, makeHosts } from "./host.ts"

export const election = LeaderElection.make(Subspace.fromTuple(["app", "election"]))

/** A key of the application. */
export const counter = Subspace.fromTuple(["app", "counter"]).prefix

export const transact = <A, E>(body: Effect.Effect<A, E, Transaction>) => Database.transact(body)

/** Three hosts on an election, with the default configuration unless another is given. */
export const hosts = Effect.fnUntraced(function*(config?: ElectionConfig) {
  // Where the test clock was never adjusted, the first sleep in a finalizer of an interrupted fiber would end it.
  yield* TestClock.adjust(0)
  const make = yield* makeHosts()
  const made = [make(), make(), make()] as const
  yield* made[0].run(transact(election.initialize(config)))
  return made
})

type Test = Effect.Effect<void, unknown, Scope.Scope>

/** A test on three hosts, see {@link hosts}. */
export const onHosts = <Eff extends Effect.Effect<unknown, unknown, Scope.Scope>>(
  name: string,
  body: (a: Host, b: Host, c: Host) => Generator<Eff, void, never>,
  config?: ElectionConfig
) => it.effect(name, () => Effect.flatMap(hosts(config), (made) => Effect.gen(() => body(...made)) as Test))

/** As many hosts as wanted that are some way from their database, on an election with the default configuration. */
export const distantHosts = Effect.fnUntraced(function*(latencies: InstrumentedEngine.Latencies) {
  yield* TestClock.adjust(0)
  const make = yield* makeHosts(latencies)
  const initialized = yield* Effect.forkChild(make().run(transact(election.initialize())))
  yield* TestClock.adjust("10 seconds")
  yield* Fiber.join(initialized)
  return make
})

export const eventsOf = <Tag extends ElectionEvent["_tag"]>(host: Host, tag: Tag) =>
  host.events.filter((event): event is Extract<ElectionEvent, { _tag: Tag }> => event._tag === tag)

/** Why the first tenure of a host was lost. */
export const reasonOf = (host: Host) => eventsOf(host, "Lost")[0]?.reason

export const leaderId = (host: Host) =>
  Effect.map(Effect.orDie(host.run(transact(election.getLeaderRaw))), (state) => Option.getOrUndefined(state)?.leaderId)

/** A work that goes on until it is interrupted, and tells when it begins and ends. */
export const logged = (log: Array<string>, name: string) => (leadership: Leadership) =>
  Effect.andThen(
    Effect.sync(() => void log.push(`${name} begins ${leadership.term}`)),
    Effect.ensuring(Effect.never, Effect.sync(() => void log.push(`${name} ends`)))
  )

/** Leads on a host, in a fiber of its own. */
export const start = <A, E = never, R = never>(
  host: Host,
  candidate: Candidacy.CandidateOptions,
  work: (leadership: Leadership) => Effect.Effect<A, E, R> = () => Effect.never,
  options?: Candidacy.LeadOptions
) => Effect.forkDetach(host.run(election.withLeadership(candidate, work, options)), { startImmediately: true })

/** Leads on a host, in a fiber of its own, which is given a second to begin. */
export const lead = <A, E = never, R = never>(
  host: Host,
  candidate: Candidacy.CandidateOptions,
  work?: (leadership: Leadership) => Effect.Effect<A, E, R>,
  options?: Candidacy.LeadOptions
) => Effect.tap(start(host, candidate, work, options), () => TestClock.adjust("1 second"))
