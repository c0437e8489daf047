/**
 * The end of a tenure, in the order that keeps the works of two leaders apart (6):
 *
 * 1. `lose`: the belief ends, and the work is interrupted in the same instant. `checkNow` does it where a clock has ended the belief.
 * 2. The work's finalizers run: see `work.ts`.
 * 3. `complete`: the vacancy is written, if the tenure still stands; fibers and watches end; the next campaign may begin.
 */
import { Transaction } from "@effect-fdb/core"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { type ClockOutOfRange, LeadershipLost, type StoreError } from "../../ElectionError.ts"
import type { LossReason, RecordedReason } from "../../LossReason.ts"
import { type Candidate, leave, yieldToOthers } from "../candidate/candidate.ts"
import * as Log from "../candidate/log.ts"
import { lossTraits } from "../protocol/lossTraits.ts"
import type { Identity } from "../protocol/records.ts"
import * as Reads from "../storage/reads.ts"
import * as Writes from "../storage/writes.ts"
import type { Tenure } from "./tenure.ts"

/** What a resignation has found. */
interface Resigned {
  readonly end: "ended" | "over" | "replaced"
  /** What the history tells. */
  readonly reason: RecordedReason | undefined
}

/** Releases what a campaign or a tenure holds, however that has ended: fibers and watches, the campaign lock. */
export const release = (candidate: Candidate, scope: Scope.Closeable): Effect.Effect<void> =>
  Scope.close(scope, Exit.void).pipe(
    Effect.ensuring(Effect.suspend(() => candidate.lifecycle.ended() ? leave(candidate) : Effect.void)),
    Effect.ensuring(candidate.campaignLock.release(1)),
    Effect.catchDefect((defect) => Log.error(`the watches of "${candidate.id}" could not be released`, defect))
  )

export class TenureEnd {
  private readonly tenure: Tenure
  private readonly losing = Deferred.makeUnsafe<LeadershipLost>()
  private readonly completed = Deferred.makeUnsafe<void>()
  private isCompleting = false
  private loss: LossReason | undefined = undefined
  private error: LeadershipLost | undefined = undefined
  private work: Fiber.Fiber<unknown, unknown> | undefined = undefined
  private hasCutShort = false
  private hasDoubt = false

  constructor(tenure: Tenure) {
    this.tenure = tenure
  }

  /** Why the tenure is over for its leader, if it is. */
  get reason(): LossReason | undefined {
    return this.loss
  }

  /** Completes once the tenure is over for its leader. */
  readonly lost: Effect.Effect<LeadershipLost> = Effect.suspend(() => Deferred.await(this.losing))

  /** Whether an error tells of the loss of this very tenure, and not of one in another election. */
  isLoss(error: unknown): error is LeadershipLost {
    return error !== undefined && error === this.error
  }

  /** The loss that has interrupted the work, if one has. */
  get cutShortBy(): LeadershipLost | undefined {
    return this.hasCutShort ? this.toError() : undefined
  }

  /** Made when somebody asks for it: a resignation waits for nobody who does. */
  private toError(): LeadershipLost {
    const { candidate: { id: processId }, term } = this.tenure
    return this.error ??= new LeadershipLost({ processId, term, reason: this.loss! })
  }

  /** Whether its loss has cut a guarded transaction short that may have been committed. */
  get isInDoubt(): boolean {
    return this.hasDoubt
  }

  /** A guarded transaction was cut short that may have been committed. */
  guardInDoubt(): void {
    this.hasDoubt = true
  }

  /** The fiber of the work, to be interrupted within the very call that finds the tenure to be over. */
  supervise(work: Fiber.Fiber<unknown, unknown>): void {
    this.work = work
    if (this.loss !== undefined) this.interruptWork()
  }

  /** Whether the work has begun and has not ended. */
  get isWorking(): boolean {
    return this.work !== undefined && this.work.pollUnsafe() === undefined
  }

  private interruptWork(): void {
    if (!this.isWorking) return
    this.hasCutShort = true
    this.work?.interruptUnsafe()
  }

  /** Ends the belief, from this very moment on. */
  lose(reason: LossReason): Effect.Effect<void> {
    return Effect.contextWith((context: Context.Context<never>) => {
      this.loseNow(reason, context)
      return Effect.void
    })
  }

  private loseNow(reason: LossReason, context: Context.Context<never>): void {
    if (this.loss !== undefined) return
    const { candidate: { events }, term } = this.tenure
    this.loss = reason
    // Told, measured and logged first: on a database in memory all that follows happens within this call.
    Effect.runForkWith(context)(events.announce({ _tag: "Lost", term, reason }))
    // Not by a fiber that waits for the loss: the scheduler would decide when that goes on.
    this.interruptWork()
    Deferred.doneUnsafe(this.losing, Effect.sync(() => this.toError()))
  }

  /** Looks at the belief, ends it where it is over, and tells whether it holds. */
  checkNow(context: Context.Context<never>): boolean {
    if (this.loss !== undefined) return false
    const over = this.tenure.beliefOver()
    if (over === undefined) return true
    this.loseNow(over === "expired" ? this.tenure.obstacle ?? over : over, context)
    return false
  }

  /** See {@link checkNow}. */
  readonly check: Effect.Effect<boolean> = Effect.contextWith((context: Context.Context<never>) =>
    Effect.succeed(this.checkNow(context))
  )

  /** Where what supervises the tenure dies, nothing would end the belief in time: it ends at once. */
  losingByDefect(what: string): (self: Effect.Effect<void>) => Effect.Effect<void> {
    return Effect.catchDefect((defect) =>
      Effect.andThen(this.lose("broken"), Log.error(`the ${what} of a leadership failed with a defect`, defect))
    )
  }

  /** Ends what is left of the tenure, once, and waits until that is done. */
  readonly complete: Effect.Effect<void> = Effect.suspend(() => {
    if (this.isCompleting) return Deferred.await(this.completed)
    this.isCompleting = true
    const { candidate, scope } = this.tenure
    return Effect.uninterruptible(Effect.ensuring(this.resign(), release(candidate, scope))).pipe(
      Effect.onExit((exit) => Deferred.done(this.completed, exit))
    )
  })

  private resign(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const { candidate } = this.tenure
      const { reason } = this
      yield* this.lose("resigned")
      candidate.lifecycle.end()
      const asked = candidate.now()
      const resigned = yield* this.writeVacancy()
      const took = candidate.now() - asked
      // Where the work always ends before the election is finished, nobody else keeps the history short.
      if (resigned !== undefined && !this.tenure.isFinished) yield* trimHistory(candidate)
      // Whoever was asked to step down yields, also where it has lost its tenure for another reason.
      if ((reason !== undefined && lossTraits[reason].yields) || resigned?.reason === "stepped-down") {
        yieldToOthers(candidate, resigned === undefined ? 0n : took)
      }
    })
  }

  /**
   * Ends the tenure in the database, if it still stands there, and tells how it has ended. Bounded: where the database does not
   * answer, the tenure ends there with the lease.
   */
  private writeVacancy(): Effect.Effect<Resigned | undefined> {
    const { candidate: { events, id, lifecycle, registration }, isFresh, term } = this.tenure
    const { vacancy } = lossTraits[this.reason ?? "resigned"]
    if (vacancy === "none") return Effect.undefined
    const mayResignFast = vacancy === "fast" && isFresh
    const leaves = lifecycle.isClosing
    return Effect.suspend(() => mayResignFast ? this.resignFast(leaves) : this.resignFully(leaves)).pipe(
      Effect.tap(({ end }) => {
        registration.notCalled()
        if (leaves) registration.removed()
        return end !== "replaced" ? events.tell({ _tag: "Resigned", term }) : Effect.void
      }),
      Effect.catch((error) =>
        Effect.as(Log.warning(`"${id}" could not resign from term ${term}: ${error.message}`), undefined)
      ),
      Effect.catchDefect((defect) =>
        Effect.as(Log.error(`the resignation of "${id}" from term ${term} failed with a defect`, defect), undefined)
      )
    )
  }

  private resignFully(leaves: boolean): Effect.Effect<Resigned, StoreError | ClockOutOfRange> {
    const { candidate: { contact, database, keys, witnessed }, leader } = this.tenure
    const timeout = contact.transactionTimeout
    const hasDied = (identity: Identity) => witnessed.hasDied(identity)
    return database.transact(Writes.resignFully(keys, leader, leaves, hasDied), { idempotent: true, timeout })
  }

  /** One round trip, for others wait for it: it rests on what the last claim or renewal has left. */
  private resignFast(leaves: boolean): Effect.Effect<Resigned, StoreError | ClockOutOfRange> {
    const { candidate, leader, lease, start, version } = this.tenure
    const { clock, contact, database, isAppointable, keys, now, witnessed } = candidate
    const hasDied = (identity: Identity) => witnessed.hasDied(identity)
    const body = Effect.flatMap(Transaction, (tx) => {
      const seenAt = clock.currentTimeNanosUnsafe() - (now() - version.at)
      const options = { leaves, appoints: isAppointable, seenAt, hasDied }
      return Effect.andThen(
        tx.setReadVersion(version.version),
        Writes.resignFast(tx, keys, leader, lease, start, options)
      )
    })
    return database.transact(body, { retryLimit: 0, timeout: contact.transactionTimeout }).pipe(
      Effect.as({ end: "ended", reason: "resigned" } as const),
      // After a timeout there is no time left; whatever else it was, it shows in what stands now.
      Effect.catchIf(
        (error) => error._tag !== "FdbError" || error.code !== 1031,
        () => this.resignFully(leaves)
      )
    )
  }
}

/** Keeps the history short, if that can be done now. */
const trimHistory = ({ contact, database, keys }: Candidate): Effect.Effect<void> => {
  const body = Effect.flatMap(Transaction, (tx) =>
    Effect.flatMap(
      Reads.readOutdated(tx.snapshot, keys),
      (outdated) => Writes.trimHistory(tx, keys, outdated)
    ))
  return Effect.ignoreCause(
    Effect.suspend(() => database.transact(body, { retryLimit: 0, timeout: contact.transactionTimeout }))
  )
}
