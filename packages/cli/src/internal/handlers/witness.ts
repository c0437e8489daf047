import { Database, Testimony, Witness as WitnessService } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import { Witness } from "@effect-fdb/witness"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as path from "node:path"
import { usageError } from "../../Failure.ts"
import { withElection } from "../commands/root.ts"
import type { Options } from "../commands/witness.ts"
import { printable } from "../printable.ts"
import { parentIsGone } from "../run/processGroup.ts"

/** Other candidates of the host take over by themselves, and need no read. */
const headStart = "100 millis"
/** The time after the end of the parent in which the ends of others are still seen. */
const afterParent = "5 seconds"
const maxConcurrency = 16

const retries = Schedule.exponential("50 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 10 }))

/** Ends the tenure of a candidate that has died, if it leads. */
const end = Effect.fnUntraced(function*(testimony: Testimony.Testimony) {
  const parts = Testimony.parse(testimony)
  if (Option.isNone(parts)) return
  const { id, registration, subspace } = parts.value
  const witness = yield* WitnessService
  if (witness.living(Testimony.electionOf(testimony)).length > 0) yield* Effect.sleep(headStart)
  const { transact } = yield* Database
  const election = LeaderElection.make(subspace)
  const ended = yield* transact(election.endTenureOfDead(id, registration), { idempotent: true }).pipe(
    Effect.retry(retries)
  )
  if (ended) {
    yield* Console.error(
      printable(`fdb-election: the process of "${id}" has died; its tenure in ${election.name} is ended`)
    )
  }
})

const parentGone = Effect.suspend(() => parentIsGone() ? Effect.void : Effect.fail("lives" as const)).pipe(
  Effect.retry(Schedule.spaced("200 millis")),
  Effect.andThen(Effect.sleep(afterParent))
)

const watch = Effect.fnUntraced(function*(exitAfterParent: boolean) {
  const witness = yield* Effect.serviceOption(WitnessService)
  // LMDB goes without one where its own directory cannot be used.
  if (Option.isNone(witness) || witness.value === Witness.none) {
    return yield* usageError("witness has no directory: give --directory, or set FDB_ELECTION_WITNESS")
  }
  const dead = yield* Queue.unbounded<Testimony.Testimony>()
  yield* witness.value.onDeath(undefined, (testimony) => Queue.offerUnsafe(dead, testimony))
  yield* Console.error("fdb-election: witnesses the ends of the processes of this host")
  const work = Queue.take(dead).pipe(
    Effect.flatMap((testimony) =>
      end(testimony).pipe(
        Effect.provideService(WitnessService, witness.value),
        Effect.catch(({ message }) =>
          Console.error(
            printable(`fdb-election: the tenure of a process that has died is left to its lease: ${message}`)
          )
        )
      )
    ),
    Effect.forever
  )
  const all = Effect.all(Array.from({ length: maxConcurrency }, () => work), {
    concurrency: "unbounded",
    discard: true
  })
  yield* exitAfterParent ? Effect.raceFirst(all, parentGone) : all
}, Effect.scoped)

export const witness = ({ directory, exitAfterParent }: Options) =>
  withElection(() => watch(exitAfterParent), {
    makesStore: true,
    hears: Option.isNone(directory) ? true : path.resolve(directory.value)
  })
