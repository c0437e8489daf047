/** Leadership by the supervised interface, with watches, belief and events. */
import { Database, type Engine, Subspace } from "@effect-fdb/core"
import { type ElectionEvent, ElectionObserver, LeaderElection } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import { type Leader, names } from "./load.ts"

export const electionOf = (name: string): LeaderElection.LeaderElection =>
  LeaderElection.make(Subspace.fromTuple([name]))

/** Leads the elections until the scope closes. */
export const lead = (engine: Engine.Engine, elections: number, observe: (event: ElectionEvent) => void) =>
  Effect.forEach(
    names(elections),
    (name) => Effect.forkScoped(electionOf(name).withLeadership({ id: "leader" }, () => Effect.never)),
    { discard: true }
  ).pipe(
    Effect.provideService(Database, Database.fromEngine(engine)),
    Effect.provideService(ElectionObserver, observe)
  )

export const supervised: Leader = ({ renewed, elections, engine }) =>
  lead(engine, elections, ({ _tag }) => {
    if (_tag === "Renewed") renewed()
  })
