/**
 * Candidates of one process elect under faults of the database, and everything they believe and write is held against the
 * promises: beliefs do not overlap, terms grow, guarded writes are in order and none is lost.
 */
import { Bytes, Database, Transaction, Tuple } from "@effect-fdb/core"
import {
  ElectionConfig,
  type ElectionEvent,
  ElectionObserver,
  LeaderElection,
  type Leadership
} from "@effect-fdb/leader-election"
import { assert } from "@effect/vitest"
import { Clock, type Duration, Effect, References, Result } from "effect"
import { makeSpace, persist } from "./space.ts"

/** How the candidates elect. */
export interface Options {
  readonly lease: Duration.Input
  /** How long a leader may take to be found, and to write, once the database is back. */
  readonly recovery: Duration.Input
}

interface Belief {
  readonly term: bigint
  readonly until: bigint
}

/** What was seen to go wrong, by somebody who sees all candidates and one clock. */
class Witness {
  readonly wrong: Array<string> = []
  elected = 0
  private readonly beliefs = new Map<string, Belief>()
  private lastTerm = 0n
  private readonly clock: Clock.Clock

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  readonly observe = (event: ElectionEvent): void => {
    const { candidate } = event
    switch (event._tag) {
      case "Elected": {
        this.elected++
        if (event.term <= this.lastTerm) this.wrong.push(`${candidate} has term ${event.term} after ${this.lastTerm}`)
        this.lastTerm = event.term
        return this.believe(candidate, event.term, event.believesUntil)
      }
      case "Renewed":
        return this.believe(candidate, event.term, event.believesUntil)
      case "Lost":
      case "Resigned":
        return void this.beliefs.delete(candidate)
    }
  }

  private believe(candidate: string, term: bigint, until: bigint): void {
    const now = this.clock.monotonicTimeNanosUnsafe()
    for (const [other, belief] of this.beliefs) {
      if (other !== candidate && belief.until > now && until > now) {
        this.wrong.push(`${candidate} believes in term ${term} while ${other} believes in term ${belief.term}`)
      }
    }
    this.beliefs.set(candidate, { term, until })
  }
}

const toNumber = (bytes: Uint8Array | undefined): number => bytes === undefined ? 0 : Number(Buffer.from(bytes))

/** Lets three candidates elect while `faults` happen, and checks what they did. Gives the number of tenures. */
export const underFaults = Effect.fnUntraced(function*<E>(faults: Effect.Effect<void, E>, options: Options) {
  const space = yield* makeSpace
  const election = LeaderElection.make(space.subspace(["election"]))
  const counter = space.pack(["counter"])
  const log = space.subspace(["log"])
  const witness = new Witness(yield* Clock.Clock)
  const acknowledged = new Set<number>()
  let written = 0

  const write = Effect.fnUntraced(function*(leadership: Leadership) {
    const number = ++written
    const entry = Tuple.pack([leadership.term, number])
    const body = Transaction.use((tx) =>
      Effect.gen(function*() {
        const count = toNumber(yield* tx.get(counter))
        yield* tx.set(counter, Bytes.fromString(String(count + 1)))
        yield* tx.setVersionstampedKey(log.packVersionstamped([Tuple.incompleteVersionstamp()]), entry)
      })
    )
    // A transaction that may have been committed is neither acknowledged nor tried again.
    yield* Effect.ignore(
      Effect.tap(leadership.guard(body, { timeout: "1 second" }), () => Effect.sync(() => acknowledged.add(number)))
    )
    yield* Effect.sleep("10 millis")
  })

  /** Writes have been acknowledged since this was asked for. */
  const progress = Effect.suspend(() => {
    const before = acknowledged.size
    return Effect.sleep("20 millis").pipe(
      Effect.repeat({ until: () => acknowledged.size > before }),
      Effect.timeoutOrElse({ duration: options.recovery, orElse: () => Effect.die("nobody leads any more") })
    )
  })

  yield* persist(
    Database.transact(election.initialize(ElectionConfig.withLeaseDuration(options.lease)), {
      idempotent: true,
      timeout: "1 minute"
    })
  )
  const tenures = yield* Effect.gen(function*() {
    for (const id of ["a", "b", "c"]) {
      yield* Effect.forkScoped(
        election.withLeadership({ id }, (leadership) => Effect.forever(write(leadership)), { again: true })
      )
    }
    yield* progress
    yield* faults
    yield* progress
    return witness.elected
  }).pipe(
    Effect.scoped,
    Effect.provideService(ElectionObserver, witness.observe),
    Effect.provideService(References.MinimumLogLevel, "Error")
  )

  const stored = yield* persist(
    Database.transact(
      Transaction.use((tx) =>
        Effect.gen(function*() {
          const entries = (yield* tx.getRange(log.range())).map(({ value }) => Result.getOrThrow(Tuple.unpack(value)))
          return { entries, count: toNumber(yield* tx.get(counter)) }
        })
      ),
      { timeout: "1 minute" }
    )
  )
  assert.deepStrictEqual(witness.wrong, [])
  assert.strictEqual(stored.count, stored.entries.length, "the counter counts every guarded write")
  const numbers = stored.entries.map(([, number]) => Number(number))
  assert.strictEqual(new Set(numbers).size, numbers.length, "no guarded write is stored twice")
  for (const number of acknowledged) assert.include(numbers, number, "an acknowledged write is stored")
  const terms = stored.entries.map(([term]) => BigInt(term as bigint))
  for (const [i, term] of terms.entries()) {
    assert.isTrue(i === 0 || term >= terms[i - 1]!, "no guarded write of an ended tenure is stored")
  }
  return tenures
})
