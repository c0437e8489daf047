/**
 * The work of the coordinator: it sees which members live, and writes the table where the assignment to them is another. It proposes
 * only: whoever leads a shard leads it by that shard's own election.
 */
import { Bytes, type FdbError, type Reads as CoreReads, Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { LeadershipLost, ShardsDiffer, StoreError } from "../../ElectionError.ts"
import type { Leadership } from "../../Leadership.ts"
import type { Candidate } from "../candidate/candidate.ts"
import { firstHeartbeat, isTransient } from "../candidate/contact.ts"
import * as Log from "../candidate/log.ts"
import * as Pacing from "../candidate/pacing.ts"
import { Watches, type WatchSet } from "../candidate/watches.ts"
import type { Witnessed } from "../candidate/witnessed.ts"
import type { Identity } from "../protocol/records.ts"
import * as ElectionCodec from "../storage/codec.ts"
import * as Reads from "../storage/reads.ts"
import * as Assignment from "./assignment.ts"
import * as Codec from "./codec.ts"
import type { ShardKeys } from "./keys.ts"
import * as Liveness from "./liveness.ts"
import * as Table from "./table.ts"

/** A member as it is stored, and what its candidacy in the coordinator election shows of it. */
interface Entry extends Assignment.Member {
  /** The registration of its candidacy. */
  readonly candidacy: Identity | undefined
  readonly signs: Liveness.Signs
  /** When it gave the last sign, by its wall clock. */
  readonly writtenAt: bigint
}

type Sightings = ReadonlyMap<string, Liveness.Sighting>

/** What a table has changed. */
interface Written {
  readonly members: number
  /** How many shards have another owner than before. */
  readonly moved: number
}

/** What one look came to. */
interface Look {
  readonly sightings: Sightings
  readonly heartbeat: bigint
  readonly watchSet: WatchSet | undefined
  /** `gathering`: there is something to be written once others had a chance to join, too. */
  readonly outcome: "unchanged" | "gathering" | Written
}

/** Whoever joins at about the same time joins in one table, so that shards that all of them get move once. */
const gatheringTime = (heartbeat: bigint): bigint => heartbeat / 10n

class Coordinator {
  private readonly id: string
  private readonly keys: ShardKeys
  private readonly shards: number
  private readonly leadership: Leadership
  private readonly watches: Watches
  private readonly witnessed: Witnessed
  private sightings: Sightings | undefined = undefined
  private heartbeat = firstHeartbeat
  private tables = 0n
  private readonly told = new Set<string>()

  constructor(
    { id, witnessed }: Coordinating,
    keys: ShardKeys,
    shards: number,
    leadership: Leadership,
    watches: Watches
  ) {
    this.id = id
    this.witnessed = witnessed
    this.keys = keys
    this.shards = shards
    this.leadership = leadership
    this.watches = watches
  }

  /** Looks, writes what has changed, and gives the time to the next round. */
  round(hasGathered: boolean): Effect.Effect<{ readonly pause: bigint; readonly gathers: boolean }, CoordinatorError> {
    return this.leadership.guard(this.look(hasGathered), { idempotent: true }).pipe(
      Effect.flatMap(({ heartbeat, outcome, sightings, watchSet }) => {
        this.sightings = sightings
        this.heartbeat = heartbeat
        const gathers = outcome === "gathering"
        const next = { gathers, pause: gathers ? gatheringTime(heartbeat) : heartbeat }
        const watching = watchSet === undefined ? Effect.void : this.watches.use(watchSet)
        return Effect.as(
          typeof outcome === "string" ? watching : Effect.andThen(watching, this.tellWritten(outcome)),
          next
        )
      }),
      Effect.catchIf(
        (error): error is FdbError => error._tag === "FdbError" && isTransient(error),
        (error) =>
          Effect.as(
            Log.debug(`the coordinator "${this.id}" of ${this.keys.name} tries again: ${error.message}`),
            { gathers: hasGathered, pause: this.heartbeat / 2n }
          )
      )
    )
  }

  private look(hasGathered: boolean): Effect.Effect<Look, StoreError | ShardsDiffer, Transaction> {
    return Effect.gen({ self: this }, function*() {
      const { keys, shards, watches } = this
      const tx = yield* Transaction
      const { snapshot } = tx
      watches.acknowledge()
      const [config, headBytes, entries] = yield* Effect.all([
        Reads.read(snapshot, Reads.config(keys.coordinatorKeys)),
        // Serializably: a table is not written over one that was removed meanwhile.
        tx.get(keys.table),
        this.readEntries(snapshot)
      ], { concurrency: "unbounded" })
      const head = yield* Table.toHead(keys, shards, headBytes)
      const stored = head === undefined ? undefined : yield* Table.readAssignment(snapshot, keys, head)
      const former = stored ?? Assignment.unassigned(shards)
      const watchSet = watches.isWatching ? undefined : yield* watches.set(tx, [keys.changes])
      const now = yield* Clock.monotonicTimeNanos
      const wall = yield* Clock.currentTimeNanos
      const heartbeat = Duration.toNanosUnsafe(config.heartbeatInterval)
      const timeout = Duration.toNanosUnsafe(config.candidateTimeout)
      const sightings = this.sight(entries, stored, now, wall, timeout)
      const livenessOf = ({ candidacy, id }: Entry): Liveness.Liveness => {
        // It need not observe itself.
        if (id === this.id) return "alive"
        if (candidacy !== undefined && this.witnessed.hasDied(candidacy)) return "dead"
        return Liveness.liveness(sightings.get(id)!, now, { heartbeat, timeout })
      }
      const are = (liveness: Liveness.Liveness) => entries.filter((entry) => livenessOf(entry) === liveness)
      for (const { id, signs } of are("dead")) {
        // Its candidacy has been evicted, long after it died.
        if (signs.candidate === undefined) {
          yield* Effect.andThen(tx.addReadConflictKey(keys.member(id)), tx.clear(keys.member(id)))
        }
      }
      const suspects = new Set(are("suspected").map(({ id }) => id))
      const assign = (former: Assignment.Assignment) =>
        suspects.size === 0
          ? Assignment.assign(former, are("alive"))
          : Assignment.assignWithSuspects(former, are("alive"), suspects)
      const seen = { sightings, heartbeat, watchSet }
      const proposed = assign(former)
      if (stored !== undefined && Assignment.sameAssignment(stored, proposed)) {
        return { ...seen, outcome: "unchanged" as const }
      }
      if (!hasGathered && !Assignment.promotes(former, proposed)) return { ...seen, outcome: "gathering" as const }
      const leaders = (yield* Table.readLeaders(snapshot, keys, shards)).map((leader) => leader?.id)
      // Where no table is left, those who lead are the owners.
      const next = assign(stored === undefined ? { ...former, owners: leaders } : Assignment.asLed(stored, leaders))
      // Counted with each attempt: no two tables have the same head.
      yield* Table.writeTable(tx, keys, next, this.leadership.term, this.tables++)
      const moved = next.owners.filter((owner, shard) => owner !== former.owners[shard]).length
      return { ...seen, outcome: { members: are("alive").length, moved } }
    })
  }

  /**
   * A record that has come since the first look was written since. One that was there before has an age: as the wall clock has it, for
   * who has a part in the table. Who has none may have died long ago, and has to show itself.
   */
  private sight(
    entries: ReadonlyArray<Entry>,
    stored: Assignment.Assignment | undefined,
    now: bigint,
    wall: bigint,
    timeout: bigint
  ): Sightings {
    const { sightings } = this
    const hasPart = stored === undefined ? undefined : new Set([...stored.owners, ...stored.standbys])
    const ageOf = ({ id, writtenAt }: Entry): bigint => {
      if (sightings !== undefined) return 0n
      return hasPart?.has(id) === false ? timeout : wall - writtenAt
    }
    return new Map(
      entries.map((entry) => [entry.id, Liveness.sight(sightings?.get(entry.id), entry.signs, now, ageOf(entry))])
    )
  }

  /** The members, without those whose record cannot be read: these are told of, once, and get no shards. */
  private readEntries(snapshot: CoreReads): Effect.Effect<ReadonlyArray<Entry>, FdbError> {
    return Effect.gen({ self: this }, function*() {
      const { coordinatorKeys: { candidates }, members } = this.keys
      const [memberPairs, candidatePairs] = yield* Effect.all([
        snapshot.getRange(members.range()),
        snapshot.getRange(candidates.range())
      ], { concurrency: "unbounded" })
      const idIn = (subspace: typeof members, key: Uint8Array): string | undefined => {
        const [id] = Result.getOrElse(subspace.unpack(key), () => [])
        return typeof id === "string" ? id : undefined
      }
      const candidateOf = new Map(candidatePairs.map(({ key, value }) => [idIn(candidates, key), value]))
      const entries: Array<Entry> = []
      for (const { key, value } of memberPairs) {
        const id = idIn(members, key)
        const member = Codec.decodeMember(value)
        if (id === undefined || Result.isFailure(member)) {
          const problem = Result.isFailure(member) ? member.failure : "its key does not end in an id"
          yield* this.tell(Reads.invalid(key, problem).message)
          continue
        }
        const bytes = candidateOf.get(id)
        const candidate = bytes === undefined ? undefined : Result.getOrUndefined(ElectionCodec.decodeCandidate(bytes))
        const { since, weight } = member.success
        entries.push({
          id,
          weight,
          candidacy: candidate && { id, registration: candidate.registration },
          signs: { member: Bytes.toHex(value), candidate: bytes === undefined ? undefined : Bytes.toHex(bytes) },
          writtenAt: candidate !== undefined && candidate.lastHeartbeat > since ? candidate.lastHeartbeat : since
        })
      }
      return entries
    })
  }

  private tellWritten({ members, moved }: Written): Effect.Effect<void> {
    return Log.info(
      `"${this.id}" has assigned ${this.keys.name} to ${members} members: ${moved} of ${this.shards} shards move`
    )
  }

  private tell(problem: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.told.has(problem)) return Effect.void
      this.told.add(problem)
      return Log.warning(`a member of ${this.keys.name} gets no shards: ${problem}`)
    })
  }
}

/** Why the coordinator's work ends. */
export type CoordinatorError = StoreError | ShardsDiffer | LeadershipLost

/** The candidate that coordinates. */
type Coordinating = Pick<Candidate, "id" | "witnessed">

/**
 * Keeps the table as the living members are, as long as it leads: woken by who joins, leaves, changes its weight or dies by witness, and
 * once a heartbeat.
 */
export const coordinate = (
  candidate: Coordinating,
  keys: ShardKeys,
  shards: number,
  leadership: Leadership
): Effect.Effect<never, CoordinatorError, Scope.Scope> =>
  Effect.gen(function*() {
    const watches = yield* Watches.make
    const sleep = yield* Pacing.pacer
    const coordinator = new Coordinator(candidate, keys, shards, leadership, watches)
    yield* candidate.witnessed.onDeath(watches.alert)
    let gathers = false
    while (true) {
      const next: { readonly pause: bigint; readonly gathers: boolean } = yield* coordinator.round(gathers)
      gathers = next.gathers
      // What gathers is not hurried by those who come meanwhile.
      const pausing = sleep({ about: next.pause })
      yield* gathers ? pausing : watches.during(pausing)
    }
  })
