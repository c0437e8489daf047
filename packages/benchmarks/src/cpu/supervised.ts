/** Leadership as applications have it: supervised, with watches, belief, events and all. */
import { Database, Subspace } from "@effect-fdb/core"
import { ElectionConfig, type ElectionEvent, ElectionObserver, LeaderElection } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { heartbeatMillis, type Leader, leaseMillis, names } from "./beats.ts"

const config = new ElectionConfig({
  leaseDuration: Duration.millis(leaseMillis),
  heartbeatInterval: Duration.millis(heartbeatMillis),
  candidateTimeout: Duration.millis(1.5 * leaseMillis)
})

export const supervised: Leader = (engine, elections, beaten) =>
  Effect.forEach(names(elections), (name) => {
    const election = LeaderElection.make(Subspace.fromTuple([name]))
    return Database.transact(election.initialize(config)).pipe(
      Effect.andThen(election.withLeadership({ id: "leader" }, () => Effect.never)),
      Effect.forkScoped
    )
  }, { discard: true }).pipe(
    Effect.provideService(Database, Database.fromEngine(engine)),
    Effect.provideService(ElectionObserver, (event: ElectionEvent) => {
      if (event._tag === "Renewed") beaten()
    })
  )
