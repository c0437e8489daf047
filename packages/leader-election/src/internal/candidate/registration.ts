/** A candidate's own record: registered, kept fresh by heartbeats, removed at the end (8). */
import { type FdbError, Transaction, type TransactionService } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { CampaignError, ClockOutOfRange, ElectionDisabled, InvalidState } from "../../ElectionError.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { Identity } from "../protocol/records.ts"
import { requireAble } from "../protocol/validation.ts"
import * as Reads from "../storage/reads.ts"
import * as Writes from "../storage/writes.ts"
import type { CandidateContext } from "./candidate.ts"
import { isFresh, type KnownVersion } from "./knownVersion.ts"
import * as Log from "./log.ts"

/** A registration that was written in a transaction: what is to be done once that is committed. */
export interface Registering {
  /** It is the candidate's own now. */
  readonly own: Effect.Effect<void, FdbError>
  /** Tells of it. */
  readonly tell: Effect.Effect<void>
}

export class Registration {
  private readonly context: CandidateContext
  private current: Identity | undefined = undefined
  private currentPriority: number
  /** It has removed its record until its next campaign. */
  private withdrawn = false
  private lastHeartbeat: bigint | undefined = undefined
  /** Whether its S("calls", id) stands, as far as it knows. */
  private called = false
  private notCalledUntil: bigint | undefined = undefined
  private resigning = false
  private seen: KnownVersion | undefined = undefined

  constructor(context: CandidateContext, priority: number) {
    this.context = context
    this.currentPriority = priority
  }

  get identity(): Identity | undefined {
    return this.current
  }

  get priority(): number {
    return this.currentPriority
  }

  /** The next heartbeat shows it, and is due. */
  setPriority(priority: number): void {
    this.currentPriority = priority
    this.lastHeartbeat = undefined
  }

  /**
   * Whether half a heartbeat has passed since its record was last written: a loop that is woken early has nothing to show. Or it is to show
   * that it may be appointed again.
   */
  get isDue(): boolean {
    const { contact, now } = this.context
    return this.lastHeartbeat === undefined || now() - this.lastHeartbeat >= contact.heartbeat / 2n || this.isToBeCalled
  }

  /** Whether it may be appointed, and so watches S("calls", id) instead of S("leader"). */
  get isCalled(): boolean {
    return this.called
  }

  /** Whether its next heartbeat says that it may be appointed. */
  private get isToBeCalled(): boolean {
    const { isAppointable, now } = this.context
    return isAppointable && !this.called && (this.notCalledUntil === undefined || now() >= this.notCalledUntil)
  }

  /** Its S("calls", id) is gone: it was removed with its tenure, or was found to be missing. */
  notCalled(): void {
    this.called = false
  }

  /** It leaves tenures to others until an instant. */
  notToBeCalledUntil(until: bigint): void {
    this.notCalledUntil = until
  }

  /** A version at which its record was seen to stand, if a heartbeat may still rest on it. */
  get seenAt(): KnownVersion | undefined {
    return isFresh(this.seen, this.context.now()) ? this.seen : undefined
  }

  /** Its record stood at `version`, which was known from `at` on. Its own heartbeat may have been later. */
  sawAt(version: bigint, at: bigint): void {
    if (this.seen === undefined || version > this.seen.version) this.seen = { version, at }
  }

  /** A claim or renewal has written its record. A resignation from before conflicts with that. */
  writtenAt(at: bigint): void {
    this.lastHeartbeat = at
    this.resigning = false
  }

  /** Whether a resignation of unknown outcome may yet end a tenure that stands: it must not be led without a commit. */
  get mayStillResign(): boolean {
    return this.resigning
  }

  /** Its record was written with a priority; another that was set meanwhile has not been shown yet. */
  private shown(priority: number, at: bigint): void {
    if (priority === this.currentPriority) this.lastHeartbeat = at
  }

  /**
   * Registers, as a new identity. Does nothing where it waits for another registration of its id, and that one lives. A
   * registration of unknown outcome is superseded by the next; one that was interrupted after its commit is its own all the same.
   */
  register(
    waitsFor: Protocol.OtherRegistration | undefined
  ): Effect.Effect<boolean, CampaignError | ElectionDisabled> {
    return Effect.gen({ self: this }, function*() {
      const { contact, database, id, keys, now } = this.context
      const began = now()
      let last: Registering | undefined
      const registering = Effect.tap(this.write(waitsFor), (written) =>
        Effect.sync(() => {
          last = written
        }))
      const body = waitsFor === undefined
        ? registering
        : Effect.flatMap(Transaction, (tx) =>
          Effect.flatMap(
            Reads.read(tx, Reads.candidate(keys, id)),
            (record) => Protocol.isFree(waitsFor, record) ? registering : Effect.undefined
          ))
      const written = yield* database.transact(body, { idempotent: true, timeout: contact.growingTimeout }).pipe(
        Effect.tap((written) => {
          contact.committedIn(now() - began)
          return written === undefined ? Effect.void : written.own
        }),
        Effect.onInterrupt(() => last === undefined ? Effect.void : Effect.ignore(last.own))
      )
      if (written === undefined) return false
      yield* written.tell
      return true
    })
  }

  /** Writes a registration as a new identity in the caller's transaction. */
  private write(
    waitsFor: Protocol.OtherRegistration | undefined
  ): Effect.Effect<Registering, CampaignError | ElectionDisabled, Transaction> {
    return Effect.suspend(() => {
      const { contact, events, id, isAppointable, keys, marginOf, now, witnessed } = this.context
      const { currentPriority: priority } = this
      const again = this.current !== undefined && !this.withdrawn && waitsFor === undefined
      const able = ({ leaseDuration }: { readonly leaseDuration: Duration.Duration }) =>
        requireAble(marginOf, Duration.toNanosUnsafe(leaseDuration))
      const calls = isAppointable ? "written" : "cleared"
      return Effect.map(Writes.writeRegistration(keys, id, priority, able, calls), (versionstamp): Registering => ({
        own: Effect.flatMap(versionstamp, (registration) => {
          this.current = { id, registration }
          this.withdrawn = false
          this.called = isAppointable
          return witnessed.tell(this.current)
        }),
        tell: Effect.suspend(() => {
          this.shown(priority, now())
          this.seen = undefined
          contact.answered()
          return events.tell({ _tag: "Registered", registration: this.current!.registration, again })
        })
      }))
    })
  }

  /**
   * Registers in the caller's transaction, for a campaign that is about to begin. Does nothing where it is registered, or where another
   * has registered under its id since it has withdrawn: the campaign finds that.
   */
  readonly writeIfFree: Effect.Effect<Registering | undefined, CampaignError | ElectionDisabled, Transaction> = Effect
    .flatMap(Transaction, (tx) => {
      const { id, keys } = this.context
      if (this.current === undefined) return this.write(undefined)
      if (!this.withdrawn) return Effect.undefined
      return Effect.flatMap(Reads.read(tx, Reads.candidate(keys, id)), (record) => {
        if (record !== undefined) return Effect.undefined
        // Another attempt must not take this one, of unknown outcome, for another process.
        this.current = undefined
        this.withdrawn = false
        return this.write(undefined)
      })
    })

  /** Shows that the candidate lives; a heartbeat that the database fails is left to the next. See {@link showAll}. */
  heartbeat(
    version: bigint,
    timeout: Duration.Duration
  ): Effect.Effect<bigint | undefined, InvalidState | ClockOutOfRange> {
    return Effect.catchTag(Registration.showAll([this], version, timeout), "FdbError", () => Effect.undefined)
  }

  /**
   * Shows that candidates of one process live, blindly: one commit, which fails if the record of one of them is another than that which
   * each was seen to have at `version`. Gives the version of the commit.
   */
  static showAll(
    registrations: readonly [Registration, ...ReadonlyArray<Registration>],
    version: bigint,
    timeout: Duration.Duration
  ): Effect.Effect<bigint, FdbError | InvalidState | ClockOutOfRange> {
    const body = Effect.flatMap(Transaction, (tx) =>
      tx.setReadVersion(version).pipe(
        Effect.andThen(Effect.forEach(registrations, (registration) => registration.writeHeartbeat(tx))),
        Effect.flatMap((written) => Effect.map(tx.committedVersion, (version) => ({ written, version })))
      ))
    return Effect.flatMap(
      registrations[0].context.database.transact(body, { retryLimit: 0, timeout }),
      ({ version, written }) =>
        Effect.map(version, (version) => {
          for (const committed of written) committed(version)
          return version
        })
    )
  }

  /** Gives what is to be done once it is committed. */
  private writeHeartbeat(
    tx: TransactionService
  ): Effect.Effect<(version: bigint) => void, FdbError | InvalidState | ClockOutOfRange> {
    const { current: me, currentPriority: priority } = this
    const { clock, contact, keys, now } = this.context
    if (me === undefined) return Effect.succeed(() => {})
    const at = now()
    const { isToBeCalled } = this
    return tx.addReadConflictKey(keys.candidate(me.id)).pipe(
      Effect.andThen(Writes.writeHeartbeat(tx, keys, me, priority, clock.currentTimeNanosUnsafe())),
      Effect.andThen(isToBeCalled ? Writes.writeCall(tx, keys, me.id, undefined) : Effect.void),
      Effect.as((version) => {
        contact.committedIn(now() - at)
        if (this.current !== me) return
        this.called ||= isToBeCalled
        this.shown(priority, at)
        this.sawAt(version, at)
      })
    )
  }

  private leave<E extends { readonly message: string }>(
    body: Effect.Effect<unknown, E, Transaction>,
    committed: () => void = () => {}
  ): Effect.Effect<void> {
    const { contact, database, id } = this.context
    return Effect.suspend(() => database.transact(body, { idempotent: true, timeout: contact.transactionTimeout }))
      .pipe(
        Effect.map(committed),
        Effect.catch((error) => Log.debug(`"${id}" could not take its leave: ${error.message}`)),
        Effect.catchDefect((defect) => Log.error(`unregistering "${id}" failed with a defect`, defect))
      )
  }

  /** Ends a tenure that it may have claimed, or been appointed to, without being told. It is not to be appointed any more. */
  readonly resignIfLeading: Effect.Effect<void> = Effect.suspend(() => {
    this.called = false
    if (this.current === undefined) return Effect.void
    this.resigning = true
    return this.leave(Writes.resignIfLeading(this.context.keys, this.current), () => void (this.resigning = false))
  })

  /** Removes its record, if it is still its own; one that leads resigns with it. */
  readonly unregister: Effect.Effect<void> = Effect.suspend(() => {
    const { removal } = this
    this.current = undefined
    // Not before: a tenure may stand until then.
    return Effect.ensuring(removal === undefined ? Effect.void : this.leave(removal), this.context.witnessed.takeBack)
  })

  private get removal() {
    const { current: identity, withdrawn } = this
    return identity === undefined || withdrawn ? undefined : Writes.unregisterCandidate(
      this.context.keys,
      identity.id,
      identity
    ).pipe(Effect.catchTag("CandidateSuperseded", () => Effect.void))
  }

  /**
   * Removes the records of some candidates of one process and database as `unregister` does, in one transaction, until their next
   * campaigns: these look before they register, and take the id from no process that has it then.
   */
  static withdraw(registrations: ReadonlyArray<Registration>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const standing = registrations.flatMap((one) => one.removal === undefined ? [] : [{ one, removal: one.removal }])
      for (const { one } of standing) one.withdrawn = true
      const [first] = standing
      if (first === undefined) return Effect.void
      // A record that cannot be read keeps no other from being removed.
      const removals = standing.map(({ removal }) => Effect.catchTag(removal, "InvalidState", () => Effect.void))
      return Effect.ensuring(
        first.one.leave(Effect.all(removals, { concurrency: "unbounded", discard: true })),
        Effect.forEach(standing, ({ one: { context } }) => context.witnessed.takeBack, { discard: true })
      )
    })
  }

  /** Its record was removed with its resignation. */
  removed(): void {
    this.current = undefined
  }
}
