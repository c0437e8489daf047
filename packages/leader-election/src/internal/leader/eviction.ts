/**
 * A leader evicts the candidates that have been dead for long (12). It looks at some of them, remembers their records, and looks
 * again ten candidate timeouts later, by its own monotonic clock: who has not written its record meanwhile is removed.
 */
import { type FdbError, Transaction } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { StoreError } from "../../ElectionError.ts"
import type { Candidate } from "../candidate/candidate.ts"
import * as Log from "../candidate/log.ts"
import * as Pacing from "../candidate/pacing.ts"
import type { Sighting } from "../candidate/sightings.ts"
import * as Protocol from "../protocol/protocol.ts"
import { sameIdentity } from "../protocol/records.ts"
import * as Reads from "../storage/reads.ts"
import type { Tenure } from "./tenure.ts"

/** How many candidates one transaction looks at. */
const pageSize = 100

/** How many candidates are remembered at a time, however many there are. */
const mostRemembered = 1000

const sleep = (span: bigint) => Effect.flatMap(Pacing.jitter(span), (nanos) => Effect.sleep(Duration.nanos(nanos)))

/** In a transaction that gives way to all others. */
const transact = <A, E>(candidate: Candidate, body: Effect.Effect<A, E, Transaction>): Effect.Effect<A, E | FdbError> =>
  candidate.database.transact(body, {
    idempotent: true,
    priority: "batch",
    timeout: candidate.contact.transactionTimeout
  })

/** Looks at the candidates from a key on, page by page; at none where the election is disabled, for nobody beats then. */
const look = Effect.fnUntraced(function*(candidate: Candidate, from: Uint8Array | undefined) {
  const candidates: Array<Reads.CandidateEntry> = []
  let next = from
  let timeout: bigint
  do {
    const page = yield* transact(
      candidate,
      Effect.flatMap(Transaction, ({ snapshot }) =>
        Effect.all({
          config: Reads.read(snapshot, Reads.config(candidate.keys)),
          page: Reads.readCandidatePage(snapshot, candidate.keys, next, pageSize)
        }, { concurrency: "unbounded" }))
    )
    if (page.config.electionEnabled) candidates.push(...page.page.candidates)
    next = page.page.next
    timeout = Duration.toNanosUnsafe(page.config.candidateTimeout)
  } while (next !== undefined && candidates.length < mostRemembered)
  const sighting: Sighting = { candidates, next, at: candidate.now(), timeout }
  return sighting
})

/** Removes those who have not shown themselves since they were seen, unless they lead; tells their ids. */
const evict = (
  { candidate, leader: tenure }: Tenure,
  seen: ReadonlyArray<Reads.CandidateEntry>,
  at: bigint
): Effect.Effect<ReadonlyArray<string>, StoreError> => {
  const { keys } = candidate
  return transact(
    candidate,
    Effect.gen(function*() {
      const tx = yield* Transaction
      const [config, leader] = yield* Reads.readAll(tx, [Reads.config(keys), Reads.leader(keys)])
      const due = at + Protocol.evictionDelay(Duration.toNanosUnsafe(config.candidateTimeout))
      if (!config.electionEnabled || candidate.now() < due || !Protocol.isCurrent(leader, tenure)) return []
      const found = yield* Reads.readCandidatesOf(tx.snapshot, keys, seen.map(({ id }) => id))
      const dead = seen.filter((entry, i) => {
        const now = found[i]
        return now !== undefined && Protocol.sameRecord(entry, now) && !sameIdentity(entry, tenure)
      })
      for (const { id } of dead) {
        yield* tx.addReadConflictKey(keys.candidate(id))
        yield* tx.clear(keys.candidate(id))
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
  const due = sighting.at + Protocol.evictionDelay(sighting.timeout)
  const left = due - now()
  if (left > 0n) yield* Effect.sleep(Duration.nanos(left))
  // It is not looked at again where this fails: what has been seen is out of date then, or will be.
  sightings.keep(undefined)
  for (let i = 0; i < sighting.candidates.length; i += pageSize) {
    const candidates = yield* evict(tenure, sighting.candidates.slice(i, i + pageSize), sighting.at)
    if (candidates.length > 0) yield* events.tell({ _tag: "Evicted", term, candidates })
  }
  return sighting.next
})

/** Evicts the dead for as long as the tenure lasts. */
export const patrol = (tenure: Tenure): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { contact, sightings: { last } } = tenure.candidate
    let from: Uint8Array | undefined
    // The living are given time to show themselves, to whom the election may have been closed until now.
    yield* sleep(last === undefined ? contact.heartbeat : 2n * last.timeout)
    while (true) {
      from = yield* Effect.orElseSucceed(round(tenure, from), () => from)
      yield* sleep(contact.heartbeat)
    }
  }).pipe(Effect.catchDefect((defect) => Log.error("the eviction of dead candidates failed with a defect", defect)))
