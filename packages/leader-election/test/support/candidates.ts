/** Candidates in an election of hosts that share a database in memory. */
import { Database, Subspace, type Transaction } from "@effect-fdb/core"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { type Candidacy, type ElectionEvent, LeaderElection, type Leadership } from "../../src/index.ts"
import { type Host, makeHosts } from "./host.ts"

export const election = LeaderElection.make(Subspace.fromTuple(["app", "election"]))

export const transact = <A, E>(body: Effect.Effect<A, E, Transaction>) => Database.transact(body)

/** Three hosts, on an election with the default configuration. */
export const hosts = Effect.gen(function*() {
  // Where the test clock was never adjusted, the first sleep in a finalizer of an interrupted fiber would end it.
  yield* TestClock.adjust(0)
  const make = yield* makeHosts()
  const made = [make(), make(), make()] as const
  yield* made[0].run(transact(election.initialize()))
  return made
})

export const eventsOf = <Tag extends ElectionEvent["_tag"]>(host: Host, tag: Tag) =>
  host.events.filter((event): event is Extract<ElectionEvent, { _tag: Tag }> => event._tag === tag)

export const leaderId = (host: Host) =>
  Effect.map(Effect.orDie(host.run(transact(election.getLeaderRaw))), (state) => Option.getOrUndefined(state)?.leaderId)

/** Leads on a host, in a fiber of its own. */
export const start = <A, E, R>(
  host: Host,
  candidate: Candidacy.CandidateOptions,
  work: (leadership: Leadership) => Effect.Effect<A, E, R>,
  options?: Candidacy.LeadOptions
) => Effect.forkDetach(host.run(election.withLeadership(candidate, work, options)), { startImmediately: true })
