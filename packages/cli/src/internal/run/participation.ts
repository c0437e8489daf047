/** What `run` takes part in: an election, or the slots of one. */
import { type Database, type FdbError, type Subspace } from "@effect-fdb/core"
import {
  type Candidacy,
  ElectionConfig,
  type InvalidCandidate,
  type InvalidConfig,
  type InvalidState,
  LeaderElection,
  type Leadership,
  type Slots
} from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type SelectedElection, transact } from "../selectedElection.ts"

export interface Participation {
  /** Creates what does not exist, and gives the configuration in force; of several, the one with the shortest lease. */
  readonly initialize: Effect.Effect<ElectionConfig, FdbError | InvalidState | InvalidConfig, Database>
  readonly candidacy: (
    candidate: Candidacy.CandidateOptions
  ) => Effect.Effect<
    Candidacy.Candidacy | Slots.SlotCandidacy,
    InvalidCandidate | InvalidConfig,
    Database | Scope.Scope
  >
  /** The subspace of the election that it leads. */
  readonly subspaceOf: (leadership: Leadership) => Subspace.Subspace
  /** What an election is called in messages. */
  readonly titleOf: (election: string) => string
  /** Which election, and which slot of it, an event is of. */
  readonly partOf: (election: string) => { readonly election: string; readonly slot?: number }
  /** The variables of the command that depend on what it leads. */
  readonly variables: (leadership: Leadership) => { readonly [name: string]: string | undefined }
}

export const inElection = ({ election, name }: SelectedElection): Participation => ({
  initialize: transact(election.initialize(new ElectionConfig({}))),
  candidacy: election.candidacy,
  subspaceOf: () => election.subspace,
  titleOf: () => name.text,
  partOf: () => ({ election: name.text }),
  // A wrapper above may have set it.
  variables: () => ({ FDB_ELECTION_SLOT: undefined })
})

/** The slots get the configuration of the election of that name, if `init` has created that. */
export const inSlots = ({ election, name }: SelectedElection, count: number): Participation => {
  const slots = LeaderElection.slots(name.subspace, count)
  const slotOf = new Map(slots.elections.map(({ name }, slot) => [name, slot]))
  return {
    initialize: transact(
      Effect.gen(function*() {
        const model = yield* Effect.catchTag(
          election.readConfig,
          "NotInitialized",
          () => Effect.succeed(new ElectionConfig({}))
        )
        const configs = yield* Effect.forEach(slots.elections, ({ initialize }) => initialize(model), {
          concurrency: "unbounded"
        })
        return configs.reduce((a, b) => Duration.isLessThan(b.leaseDuration, a.leaseDuration) ? b : a)
      })
    ),
    candidacy: slots.candidacy,
    subspaceOf: (leadership) => slots.elections[(leadership as Slots.SlotLeadership).slot]!.subspace,
    titleOf: (election) => slotOf.has(election) ? `slot ${slotOf.get(election)} of ${name.text}` : name.text,
    partOf: (election) => {
      const slot = slotOf.get(election)
      return { election: name.text, ...(slot === undefined ? {} : { slot }) }
    },
    variables: (leadership) => ({ FDB_ELECTION_SLOT: String((leadership as Slots.SlotLeadership).slot) })
  }
}
