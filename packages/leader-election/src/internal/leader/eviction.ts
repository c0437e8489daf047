/**
 * A leader evicts the candidates that have been dead for long (12). It looks at some of them, remembers their records, and looks
 * again ten candidate timeouts later, by its own monotonic clock: who has not written its record meanwhile is removed.
 */
import { type FdbError, Transaction } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { StoreError } from "../../ElectionError.ts"
import type { Member } from "../candidate/candidate.ts"
import * as Log from "../candidate/log.ts"
import * as Pace from "../candidate/pacing.ts"
import * as Protocol from "../protocol/protocol.ts"
import { sameIdentity } from "../protocol/records.ts"
import * as Store from "../storage/reads.ts"
import type { Tenure } from "./tenure.ts"

/** How many candidates one transaction looks at. */
const pageSize = 100

/** How many candidates are remembered at a time, however many there are. */
const mostRemembered = 1000

/** Candidates as they were seen once. */
export interface Sighting {
  readonly candidates: ReadonlyArray<Store.CandidateEntry>
  /** Where those that are to be looked at next begin; from the first on where that is not known. */
  readonly next: Uint8Array | undefined
  /** When all of them had been seen, on the monotonic clock. */
  readonly at: bigint
  /** The candidate timeout that was in force. */
  readonly timeout: bigint
}

const sleep = (span: bigint) => Effect.flatMap(Pace.jitter(span), (nanos) => Effect.sleep(Duration.nanos(nanos)))

/** In a transaction that gives way to all others. */
const transact = <A, E>(member: Member, body: Effect.Effect<A, E, Transaction>): Effect.Effect<A, E | FdbError> =>
  member.database.transact(body, { idempotent: true, priority: "batch", timeout: member.patience })

/** Looks at the candidates from a key on, page by page; at none where the election is disabled, for nobody beats then. */
const look = Effect.fnUntraced(function*(member: Member, from: Uint8Array | undefined) {
  const candidates: Array<Store.CandidateEntry> = []
  let next = from
  let timeout: bigint
  do {
    const page = yield* transact(
      member,
      Effect.flatMap(Transaction, ({ snapshot }) =>
        Effect.all({
          config: Store.read(snapshot, Store.config(member.keys)),
          page: Store.readCandidatePage(snapshot, member.keys, next, pageSize)
        }, { concurrency: "unbounded" }))
    )
    if (page.config.electionEnabled) candidates.push(...page.page.candidates)
    next = page.page.next
    timeout = Duration.toNanosUnsafe(page.config.candidateTimeout)
  } while (next !== undefined && candidates.length < mostRemembered)
  const sighting: Sighting = { candidates, next, at: member.now(), timeout }
  return sighting
})

/** Removes those who have not shown themselves since they were seen, unless they lead; tells their ids. */
const evict = (
  { leader: tenure, member }: Tenure,
  seen: ReadonlyArray<Store.CandidateEntry>,
  at: bigint
): Effect.Effect<ReadonlyArray<string>, StoreError> => {
  const { keys } = member
  return transact(
    member,
    Effect.gen(function*() {
      const tx = yield* Transaction
      const [config, leader] = yield* Store.readAll(tx, [Store.config(keys), Store.leader(keys)])
      const due = at + Protocol.evictionDelay(Duration.toNanosUnsafe(config.candidateTimeout))
      if (!config.electionEnabled || member.now() < due || !Protocol.stands(leader, tenure)) return []
      const found = yield* Store.readCandidatesOf(tx.snapshot, keys, seen.map(({ id }) => id))
      const dead = seen.filter((candidate, i) => {
        const now = found[i]
        return now !== undefined && Protocol.sameRecord(candidate, now) && !sameIdentity(candidate, tenure)
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
  const { member, term } = tenure
  const sighting = member.sighting ??= yield* look(member, from)
  const due = sighting.at + Protocol.evictionDelay(sighting.timeout)
  const now = member.now()
  if (now < due) yield* Effect.sleep(Duration.nanos(due - now))
  // It is not looked at again where this fails: what has been seen is out of date then, or will be.
  member.sighting = undefined
  for (let i = 0; i < sighting.candidates.length; i += pageSize) {
    const candidates = yield* evict(tenure, sighting.candidates.slice(i, i + pageSize), sighting.at)
    if (candidates.length > 0) yield* member.tell((about) => ({ _tag: "Evicted", ...about, term, candidates }))
  }
  return sighting.next
})

/** Evicts the dead for as long as the tenure lasts. */
export const patrol = (tenure: Tenure): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { member } = tenure
    let from: Uint8Array | undefined
    // The living are given time to show themselves, to whom the election may have been closed until now.
    yield* sleep(member.sighting === undefined ? member.heartbeat : 2n * member.sighting.timeout)
    while (true) {
      from = yield* Effect.orElseSucceed(round(tenure, from), () => from)
      yield* sleep(member.heartbeat)
    }
  }).pipe(Effect.catchDefect((defect) => Log.error("the eviction of dead candidates failed with a defect", defect)))
