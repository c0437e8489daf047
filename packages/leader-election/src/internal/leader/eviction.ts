/**
 * A leader evicts the candidates that have been dead for long (12). It looks at some of them, remembers their records, and looks
 * again ten candidate timeouts later, by its own monotonic clock: who has not written its record meanwhile is removed.
 *
 * The tenures of a process look together. One that sees somebody dead, or more candidates than a page, goes on alone.
 */
import { type FdbError, Transaction } from "@effect-fdb/core"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { StoreError } from "../../ElectionError.ts"
import type { Candidate } from "../candidate/candidate.ts"
import { type Cohort, Group, type Member } from "../candidate/group.ts"
import * as Log from "../candidate/log.ts"
import * as Pacing from "../candidate/pacing.ts"
import { perDatabase } from "../candidate/perDatabase.ts"
import { dueAt, type Sighting } from "../candidate/sightings.ts"
import * as Protocol from "../protocol/protocol.ts"
import { type CandidateRecord, sameIdentity } from "../protocol/records.ts"
import * as Reads from "../storage/reads.ts"
import * as Writes from "../storage/writes.ts"
import type { Tenure } from "./tenure.ts"

/** How many candidates one transaction looks at. */
const pageSize = 100

/** How many candidates are remembered at a time, however many there are. */
const mostRemembered = 1000

/** By how much later each further tenure of a process looks first: however many begin at once, 256 of them look in a second. */
const firstLookSpread = 4_000_000n

const sleep = (span: bigint) => Effect.flatMap(Pacing.jitter(span), (nanos) => Effect.sleep(Duration.nanos(nanos)))

/** In a transaction that gives way to all others. */
const transact = <A, E>(
  { contact, database }: Candidate,
  body: Effect.Effect<A, E, Transaction>,
  timeout: Duration.Duration = contact.transactionTimeout
): Effect.Effect<A, E | FdbError> => database.transact(body, { idempotent: true, priority: "batch", timeout })

/** Some candidates of an election, none where it is disabled, for nobody beats then; and the candidate timeout in force. */
type Page = Pick<Sighting, "candidates" | "next" | "timeout">

/** Reads a page of each of some elections. */
const readPages = (wanted: ReadonlyArray<Pick<Candidate, "keys">>, from?: Uint8Array) =>
  Effect.flatMap(Transaction, ({ snapshot }) =>
    Effect.map(
      Effect.all([
        snapshot.getAll(wanted.map(({ keys }) => keys.config)),
        Effect.forEach(wanted, ({ keys }) => Reads.readCandidatePage(snapshot, keys, from, pageSize), {
          concurrency: "unbounded"
        })
      ], { concurrency: "unbounded" }),
      ([configs, pages]) =>
        wanted.map(({ keys }, i) =>
          Result.map(Reads.config(keys).decode(configs[i]), ({ candidateTimeout, electionEnabled }): Page => ({
            candidates: electionEnabled ? pages[i]!.candidates : [],
            next: pages[i]!.next,
            timeout: Duration.toNanosUnsafe(candidateTimeout)
          }))
        )
    ))

/** Looks at the candidates from a key on, page by page. */
const look = Effect.fnUntraced(function*(candidate: Candidate, from: Uint8Array | undefined) {
  const candidates: Array<Reads.CandidateEntry> = []
  let next = from
  let timeout: bigint
  do {
    const [read] = yield* transact(candidate, readPages([candidate], next))
    const page = yield* Effect.fromResult(read!)
    candidates.push(...page.candidates)
    ;({ next, timeout } = page)
  } while (next !== undefined && candidates.length < mostRemembered)
  const sighting: Sighting = { candidates, next, at: candidate.now(), timeout }
  return sighting
})

/** Whether a candidate that is not the leader has not shown itself since it was seen. */
const isSilent = (
  { leader }: Tenure,
  seen: Reads.CandidateEntry,
  now: CandidateRecord | undefined
): boolean => now !== undefined && Protocol.sameRecord(seen, now) && !sameIdentity(seen, leader)

/** Removes those who have not shown themselves since they were seen, unless they lead; tells their ids. */
const evict = (
  tenure: Tenure,
  seen: ReadonlyArray<Reads.CandidateEntry>,
  at: bigint
): Effect.Effect<ReadonlyArray<string>, StoreError> => {
  const { candidate, candidate: { keys } } = tenure
  return transact(
    candidate,
    Effect.gen(function*() {
      const tx = yield* Transaction
      const [config, leader] = yield* Reads.readAll(tx, [Reads.config(keys), Reads.leader(keys)])
      const due = at + Protocol.evictionDelay(Duration.toNanosUnsafe(config.candidateTimeout))
      if (!config.electionEnabled || candidate.now() < due || !Protocol.isCurrent(leader, tenure.leader)) return []
      const found = yield* Reads.readCandidatesOf(tx.snapshot, keys, seen.map(({ id }) => id))
      const dead = seen.filter((entry, i) => isSilent(tenure, entry, found[i]))
      for (const { id } of dead) {
        yield* tx.addReadConflictKey(keys.candidate(id))
        yield* Writes.clearCandidate(tx, keys, id)
      }
      return dead.map(({ id }) => id)
    })
  )
}

/** One round: looks, or looks again at those seen last, when it is time. */
const round = Effect.fnUntraced(function*(tenure: Tenure, from: Uint8Array | undefined) {
  const { candidate, term } = tenure
  const { events, now, sightings } = candidate
  const sighting = sightings.last ?? (yield* look(candidate, from))
  sightings.keep(sighting)
  const left = dueAt(sighting) - now()
  if (left > 0n) yield* Effect.sleep(Duration.nanos(left))
  // It is not looked at again where this fails: what has been seen is out of date then, or will be.
  sightings.keep(undefined)
  for (let i = 0; i < sighting.candidates.length; i += pageSize) {
    const candidates = yield* evict(tenure, sighting.candidates.slice(i, i + pageSize), sighting.at)
    if (candidates.length > 0) yield* events.tell({ _tag: "Evicted", term, candidates })
  }
  return sighting.next
})

/** A tenure that looks together with others of its process. */
interface Patrol extends Member {
  readonly tenure: Tenure
}

/** A tenure that may look `from` then on, with whoever looks first, and looks itself `slack` later. */
const alone = (patrol: Patrol, from: bigint, slack: bigint): Cohort<Patrol> => ({
  members: [patrol],
  period: 0n,
  from,
  dueAt: from + slack
})

/** Looks once for each of some tenures, and compares what it sees with what each has seen last. */
const beat = (patrols: ReadonlyArray<Patrol>): Effect.Effect<ReadonlyArray<Cohort<Patrol>>> =>
  Effect.gen(function*() {
    const candidates = patrols.map(({ tenure }) => tenure.candidate)
    const [candidate] = candidates as [Candidate]
    const timeout = candidates.map(({ contact }) => contact.transactionTimeout).reduce(Duration.max)
    const read = yield* Effect.result(transact(candidate, readPages(candidates), timeout))
    const at = candidate.now()
    const pause = yield* Pacing.jitter(candidate.contact.heartbeat)
    return patrols.flatMap((patrol, i) => {
      const page = Result.flatMap(read, (pages) => pages[i]!)
      if (Result.isFailure(page)) return [alone(patrol, at, pause)]
      const { tenure, tenure: { candidate: { sightings } } } = patrol
      const { candidates, next, timeout } = page.success
      const isDead = (seen: Reads.CandidateEntry) => isSilent(tenure, seen, candidates.find(({ id }) => id === seen.id))
      if (next !== undefined || sightings.last?.candidates.some(isDead) === true) return []
      const sighting = { candidates, next, at, timeout }
      sightings.keep(sighting)
      return [alone(patrol, dueAt(sighting), Protocol.evictionDelay(timeout) / 10n)]
    })
  })

const groupOf = perDatabase((clock) => new Group<Patrol>(clock, beat))

/** Evicts the dead for as long as the tenure lasts. */
export const patrol = (tenure: Tenure): Effect.Effect<void> =>
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.gen(function*() {
      const { clock, contact, database, now, sightings } = tenure.candidate
      const group = groupOf({ database, clock })
      let from: Uint8Array | undefined
      while (true) {
        if (from === undefined) {
          const patrol = { tenure, context }
          const { last } = sightings
          // The living are given time to show themselves, to whom the election may have been closed until now.
          const shown = now() + 2n * (last?.timeout ?? 0n)
          const earliest = last === undefined || dueAt(last) < shown ? shown : dueAt(last)
          const slack = (yield* Pacing.jitter(contact.heartbeat)) + firstLookSpread * BigInt(group.size)
          yield* group.join(patrol, alone(patrol, earliest, slack))
        } else yield* sleep(contact.heartbeat)
        from = yield* Effect.orElseSucceed(round(tenure, from), () => from)
      }
    })
  ).pipe(Effect.catchDefect((defect) => Log.error("the eviction of dead candidates failed with a defect", defect)))
