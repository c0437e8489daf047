/** An election that is served: what its store says, read as seldom as clients allow, and the part of this process in it. */
import { type Candidacy, LeaderElection, type LeaderState, type Slots } from "@effect-fdb/leader-election"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { ServedElection } from "../ElectionHttp.ts"
import type { EventData, EventLog } from "../EventLog.ts"
import * as FullStatus from "../FullStatus.ts"
import { type SelectedElection, transact } from "../SelectedElection.ts"
import * as TenureJson from "../TenureJson.ts"
import { shared } from "./shared.ts"

/** How often the store is asked for a status at most. */
const statusPeriod: Duration.Input = "250 millis"

/** How often it is asked while somebody watches. */
const watchPeriod: Duration.Input = "1 second"

/** Why a status cannot be told. */
export interface Problem {
  readonly message: string
  /** Whether the store has answered that there is no such election. */
  readonly isMissing: boolean
}

const problemOf = (name: string) => (error: Effect.Error<ReturnType<typeof FullStatus.read>>): Problem =>
  error._tag === "NotInitialized"
    ? { message: `there is no election ${name} yet`, isMissing: true }
    : { message: error.message, isMissing: false }

export const make = Effect.fnUntraced(function*({ candidacy, name, subspace }: ServedElection, log: EventLog) {
  const election = LeaderElection.make(subspace)
  log.name(subspace, name)
  const selected: SelectedElection = { name: { text: name, subspace }, election, slot: undefined }
  const status = yield* shared(
    FullStatus.read(selected).pipe(
      Effect.mapBoth({
        onSuccess: (status) => ({
          json: FullStatus.toJson(selected, status),
          lasting: FullStatus.lasting(selected, status)
        }),
        onFailure: problemOf(name)
      })
    ),
    statusPeriod
  )
  const tenures = yield* shared(
    transact(Effect.andThen(election.readConfig, election.readHistory())).pipe(
      Effect.mapBoth({
        onSuccess: (entries) => entries.map(TenureJson.toJson),
        onFailure: problemOf(name)
      })
    ),
    statusPeriod
  )

  let leader: Option.Option<LeaderState> = Option.none()
  let lasting = ""
  const inEvent = (read: Read, part: keyof StatusParts): EventData =>
    Result.match(read, {
      onSuccess: (parts) => parts[part],
      onFailure: ({ isMissing, message }) => ({
        election: name,
        ...(isMissing ? { leader: null } : { unreachable: message })
      })
    })
  /** Tells who listens what has changed. */
  const tell = (read: Read): void => {
    const data = inEvent(read, "lasting")
    const text = JSON.stringify(data)
    if (text !== lasting) {
      lasting = text
      log.publish("StatusChanged", data)
    }
    log.broadcast("Status", inEvent(read, "json"))
  }

  const changes = election.changes.pipe(
    Stream.runForEach((changed) => {
      leader = changed
      return Effect.map(Effect.result(status.anew), tell)
    }),
    Effect.sandbox,
    Effect.tapError(() => Effect.sync(() => leader = Option.none())),
    Effect.retry(Schedule.spaced(watchPeriod)),
    Effect.ignore
  )
  const watching = Effect.suspend(() =>
    log.listening > 0 ? Effect.map(Effect.result(status.recent), tell) : Effect.void
  ).pipe(
    Effect.repeat(Schedule.spaced(watchPeriod))
  )
  yield* Effect.forkScoped(Effect.all([changes, watching], { concurrency: "unbounded", discard: true }))

  const served: Served = {
    name,
    election,
    candidacy,
    status: Effect.map(status.recent, ({ json }) => json),
    statusEvent: Effect.map(Effect.result(status.recent), (read) => inEvent(read, "json")),
    tenures: tenures.recent,
    leader: () => Option.getOrUndefined(leader)
  }
  return served
})

type StatusJson = ReturnType<typeof FullStatus.toJson>

interface StatusParts {
  readonly json: StatusJson
  readonly lasting: ReturnType<typeof FullStatus.lasting>
}

type Read = Result.Result<StatusParts, Problem>

export interface Served {
  readonly name: string
  readonly election: LeaderElection.LeaderElection
  readonly candidacy: Candidacy.Candidacy | Slots.SlotCandidacy | undefined
  readonly status: Effect.Effect<StatusJson, Problem>
  readonly tenures: Effect.Effect<ReadonlyArray<ReturnType<typeof TenureJson.toJson>>, Problem>
  /** The status in an event: with `unreachable` where the store does not answer, without a configuration where there is no election. */
  readonly statusEvent: Effect.Effect<EventData>
  /** Who was last seen to lead. */
  readonly leader: () => LeaderState | undefined
}
