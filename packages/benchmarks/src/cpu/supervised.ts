/** Leadership by the supervised interface, with watches, belief and events. */
import { Database, Subspace } from "@effect-fdb/core"
import { type ElectionEvent, ElectionObserver, LeaderElection } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import { type Leader, names } from "./load.ts"

export const supervised: Leader = ({ renewed, elections, engine }) =>
  Effect.forEach(names(elections), (name) => {
    const election = LeaderElection.make(Subspace.fromTuple([name]))
    return Database.transact(election.initialize()).pipe(
      Effect.andThen(election.withLeadership({ id: "leader" }, () => Effect.never)),
      Effect.forkScoped
    )
  }, { discard: true }).pipe(
    Effect.provideService(Database, Database.fromEngine(engine)),
    Effect.provideService(ElectionObserver, (event: ElectionEvent) => {
      if (event._tag === "Renewed") renewed()
    })
  )
