/**
 * A member: it tells its weight, takes part in the election of the coordinator, and follows the table. It lives, for the others, as
 * long as its candidacy in that election shows heartbeats.
 */
import { Bytes, type Database, type FdbError, Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { InvalidCandidate, type InvalidState, type ShardsDiffer } from "../../ElectionError.ts"
import type { Leadership } from "../../Leadership.ts"
import * as Candidate from "../candidate/candidate.ts"
import { isTransient } from "../candidate/contact.ts"
import * as Log from "../candidate/log.ts"
import * as Pacing from "../candidate/pacing.ts"
import { Watches, type WatchSet } from "../candidate/watches.ts"
import { contender, withLeadership } from "../leader/withLeadership.ts"
import type { Assignment } from "./assignment.ts"
import * as Codec from "./codec.ts"
import { coordinate } from "./coordinator.ts"
import { type HoldingError, Holdings, type HoldingsOptions, type ShardWork } from "./holdings.ts"
import type { ShardKeys } from "./keys.ts"
import * as Table from "./table.ts"

export interface MemberOptions extends HoldingsOptions {
  readonly shards: number
  readonly weight: number
}

/** Why a member ceases to take part. */
export type MemberError<E> = HoldingError<E> | ShardsDiffer

/** Fails with `InvalidCandidate` unless it is a share that can be stored. */
export const validateWeight = (weight: number): Effect.Effect<void, InvalidCandidate> =>
  Codec.isWeight(weight) ? Effect.void : Effect.fail(
    new InvalidCandidate({ field: "weight", problem: `is ${weight}; it must be a number from 0 to ${Codec.maxWeight}` })
  )

/** The names under which the library's other log lines tell of an election and a candidate. */
const annotations = ({ coordinatorKeys }: ShardKeys, id: string) => ({ election: coordinatorKeys.name, candidate: id })

/** What a look of a member at the table has found. */
interface Look {
  readonly headBytes: Uint8Array | undefined
  /** Where the table is another than at the last look. */
  readonly assignment: Assignment | undefined
  readonly watchSet: WatchSet | undefined
}

export class Member {
  readonly options: MemberOptions
  private weight: number
  private wake: Effect.Effect<void> = Effect.void
  private led: () => ReadonlyArray<number> = () => []
  private readonly runLock = Semaphore.makeUnsafe(1)

  constructor(options: MemberOptions) {
    this.options = options
    this.weight = options.weight
  }

  get currentWeight(): number {
    return this.weight
  }

  get ledShards(): ReadonlyArray<number> {
    return this.led()
  }

  setWeight(weight: number): Effect.Effect<void, InvalidCandidate> {
    return Effect.andThen(
      validateWeight(weight),
      Effect.suspend(() => {
        this.weight = weight
        return this.wake
      })
    )
  }

  /** Takes part until it is interrupted, or until something fails. Then it leaves: others are told at once, and all works end. */
  run<A, E, R>(
    work: ShardWork<A, E, R>
  ): Effect.Effect<never, MemberError<E>, Database | Exclude<R, Leadership | Scope.Scope>> {
    const taking = Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        const context = yield* Effect.context<Database | Exclude<R, Leadership | Scope.Scope>>()
        const { config, id, keys, safetyMargin } = this.options
        const candidate = yield* Candidate.make({ subspace: keys.coordinator, config }, { id, safetyMargin })
        const holdings = new Holdings(this.options, () => candidate.contact.heartbeat, work, context)
        this.led = () => holdings.led
        const fork = Effect.runForkWith(context)
        const following = fork(Effect.scoped(this.follow(candidate, holdings)))
        const coordinating = fork(
          withLeadership(contender(candidate), (leadership) =>
            Effect.annotateLogs(coordinate(candidate, keys, this.options.shards, leadership), annotations(keys, id)), {
            again: true,
            once: true
          })
        )
        const ended: Effect.Effect<never, MemberError<E>> = Effect.raceAllFirst([
          holdings.failed,
          Fiber.join(following),
          Fiber.join(coordinating)
        ])
        // What is not to be told again must have ended before the others are told.
        const withdrawing = Effect.andThen(Fiber.interrupt(following), this.withdraw(candidate))
        const leaving = Effect.all([withdrawing, holdings.release, Fiber.interrupt(coordinating)], {
          concurrency: "unbounded",
          discard: true
        })
        return yield* Effect.ensuring(restore(ended), leaving)
      })
    )
    return this.runLock.withPermits(1)(Effect.scoped(taking)) as never
  }

  /** Follows the table, and has its own record stand: whatever removes or damages that, the member lives. */
  private follow<A, E, R>(candidate: Candidate.Candidate, holdings: Holdings<A, E, R>) {
    return Effect.gen({ self: this }, function*() {
      const { contact, database } = candidate
      const watches = yield* Watches.make
      const sleep = yield* Pacing.pacer
      this.wake = watches.wake
      yield* Effect.addFinalizer(() => Effect.sync(() => void (this.wake = Effect.void)))
      let known: Uint8Array | undefined
      let failures = 0
      while (true) {
        const looked = yield* Effect.result(
          database.transact(this.look(watches, known), { idempotent: true, timeout: contact.transactionTimeout })
        )
        if (Result.isFailure(looked)) {
          const error = looked.failure
          if (error._tag !== "FdbError" || !isTransient(error)) return yield* error
          yield* sleep({ about: Pacing.backOff(++failures, contact.heartbeat) })
          continue
        }
        failures = 0
        const { assignment, headBytes, watchSet } = looked.success
        if (watchSet !== undefined) yield* watches.use(watchSet)
        known = headBytes
        // A table that is gone is written anew; until then the last one counts.
        if (assignment !== undefined) yield* holdings.follow(assignment)
        yield* watches.during(sleep({ about: contact.heartbeat }))
      }
    })
  }

  private look(
    watches: Watches,
    known: Uint8Array | undefined
  ): Effect.Effect<Look, FdbError | InvalidState | ShardsDiffer, Transaction> {
    return Effect.gen({ self: this }, function*() {
      const { id, keys, shards } = this.options
      const tx = yield* Transaction
      watches.acknowledge()
      const [[headBytes], own] = yield* Effect.all([
        tx.snapshot.getAll([keys.table]),
        // Serializably: what is committed late must not undo that it has left.
        tx.get(keys.member(id))
      ], { concurrency: "unbounded" })
      const head = yield* Table.toHead(keys, shards, headBytes)
      const { weight } = this
      const stored = own === undefined ? undefined : Result.getOrUndefined(Codec.decodeMember(own))
      if (stored?.weight !== weight) {
        const since = yield* Clock.currentTimeNanos
        yield* Effect.andThen(
          tx.set(keys.member(id), Codec.encodeMember({ weight, since })),
          Table.countChange(tx, keys)
        )
      }
      const isNew = head !== undefined && (known === undefined || !Bytes.equals(known, headBytes!))
      return {
        headBytes,
        assignment: isNew ? yield* Table.readAssignment(tx.snapshot, keys, head) : undefined,
        watchSet: watches.isWatching ? undefined : yield* watches.set(tx, [keys.table])
      }
    })
  }

  /** Tells that it gets no more shards. Where the database is away, the others find it dead. */
  private withdraw({ contact, database, id }: Candidate.Candidate): Effect.Effect<void> {
    const { keys } = this.options
    const body = Effect.flatMap(
      Transaction,
      (tx) => Effect.andThen(tx.clear(keys.member(id)), Table.countChange(tx, keys))
    )
    return Effect.suspend(() => database.transact(body, { idempotent: true, timeout: contact.transactionTimeout }))
      .pipe(
        Effect.catch((error) => Log.debug(`"${id}" could not leave ${keys.name}: ${error.message}`)),
        Effect.catchDefect((defect) => Log.error(`"${id}" could not leave ${keys.name}: a defect`, defect))
      )
  }
}
