/**
 * The database as one process sees it through its link: an engine that decorates the cluster's with time and faults.
 *
 * It keeps to what FoundationDB allows. A read version is fixed when the request arrives. An attempt that times out in its
 * commit (1031) may still be committed later; a commit of which the client is told that its outcome is unknown (1021) is
 * not in flight any more.
 */
import { type Engine, FdbError, type Mutation } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { millisecond, second } from "./EventScheduler.ts"
import { runNow } from "./internal/runNow.ts"
import type { Link } from "./Link.ts"

type Attempt = Engine.EngineTransaction
type Phase = FdbError["phase"]

const fail = (code: number, phase: Phase): Effect.Effect<never, FdbError> => Effect.fail(new FdbError({ code, phase }))

/** What whoever has it open is told of a database that was replaced. */
const replaced = 2990

/** What a read is told that a recovery has overtaken. */
const staleReads = [1007, 1009, 1037] as const

/** Longer than any history: the decorated engine does not time out. */
const unlimited = 1e12

/** Somebody waits for an answer. */
interface Call {
  readonly phase: Phase
  resume: ((answer: Effect.Effect<never, FdbError>) => void) | undefined
}

/** A read that was asked for and has not been answered: what it sees of its own transaction is fixed before a mutation. */
interface PendingRead {
  ask: (() => Effect.Effect<unknown, FdbError>) | undefined
  answer: Exit.Exit<unknown, FdbError> | undefined
}

class Watch implements Engine.EngineWatch {
  private readonly link: Link
  private readonly inner: Engine.EngineWatch
  private readonly open: Set<Watch>
  private answer: Effect.Effect<void, FdbError> | undefined = undefined
  private waiting: Array<(answer: Effect.Effect<void, FdbError>) => void> = []
  private listening = false

  constructor(link: Link, inner: Engine.EngineWatch, open: Set<Watch>) {
    this.link = link
    this.inner = inner
    this.open = open
    open.add(this)
  }

  readonly fired: Effect.Effect<void, FdbError> = Effect.callback<void, FdbError>((resume) => {
    if (this.answer !== undefined) return resume(this.answer)
    this.waiting.push(resume)
    return Effect.sync(() => {
      this.waiting = this.waiting.filter((waiting) => waiting !== resume)
    })
  })

  readonly cancel: Effect.Effect<void> = Effect.sync(() => {
    this.forget()
    this.settle(fail(1025, "watch"))
  })

  /** What it watches was replaced. */
  fail(): void {
    this.link.process.post(() => {
      this.forget()
      this.settle(fail(replaced, "watch"))
    })
  }

  /** The database does not keep it any more. */
  forget(): void {
    this.open.delete(this)
    runNow(this.inner.cancel)
  }

  /** It was fired by this transaction's own writes, perhaps; from now on others may. */
  start(): void {
    if (this.listening || this.answer !== undefined) return
    this.listening = true
    const { random, process, rates } = this.link
    if (random.happens(rates.spuriousWatch)) {
      process.scheduler.after(Math.floor(random.exponential(5 * second)), () => this.notify())
    }
    const lost = random.happens(rates.lostWatch)
    if (lost) this.link.database.log.add(process.name, "fault", { kind: "lost-watch" })
    Effect.runFork(this.inner.fired).addObserver((exit) => {
      if (exit._tag === "Success" && !lost) this.notify()
    })
  }

  private notify(): void {
    if (this.answer !== undefined) return
    this.link.toProcess(this.link.latency(), () => {
      this.open.delete(this)
      this.settle(Effect.void)
    })
  }

  private settle(answer: Effect.Effect<void, FdbError>): void {
    if (this.answer !== undefined) return
    this.answer = answer
    const { waiting } = this
    this.waiting = []
    for (const resume of waiting) resume(answer)
  }
}

class Transaction implements Engine.EngineTransaction {
  private readonly link: Link
  private readonly inner: Engine.EngineTransaction
  private readonly options: Engine.AttemptOptions
  private readonly openWatches: Set<Watch>
  private readonly calls = new Set<Call>()
  private readonly pendingReads = new Set<PendingRead>()
  private readonly mutations: Array<Mutation> = []
  private readonly watches: Array<Watch> = []
  private cancelTimeout: (() => void) | undefined = undefined
  private timedOut = false
  private writesConflicts = false
  /** When the answer with the read version is back; the version itself is fixed at the database some time before. */
  private versionAt: number | undefined = undefined
  private knownVersion: bigint | undefined = undefined
  private waitForVersion: Array<() => void> | undefined = undefined
  private inFlight = false

  constructor(link: Link, options: Engine.AttemptOptions, openWatches: Set<Watch>) {
    this.link = link
    this.options = options
    this.openWatches = openWatches
    this.inner = link.database.engine.begin({ ...options, timeoutMillis: unlimited })
  }

  readonly readVersion: Attempt["readVersion"] = Effect.suspend(() => this.read(() => this.inner.readVersion, false))

  readonly setReadVersion: Attempt["setReadVersion"] = (version) =>
    Effect.tap(this.inner.setReadVersion(version), () =>
      Effect.sync(() => {
        this.versionAt = 0
        this.knownVersion = version
      }))

  readonly get: Attempt["get"] = (key, snapshot) => this.read(() => this.inner.get(key, snapshot), true)

  readonly getAll: Attempt["getAll"] = (keys, snapshot) => this.read(() => this.inner.getAll(keys, snapshot), true)

  readonly getKey: Attempt["getKey"] = (selector, snapshot) =>
    this.read(() => this.inner.getKey(selector, snapshot), true)

  readonly getPage: Attempt["getPage"] = (begin, end, options) =>
    this.read(() => this.inner.getPage(begin, end, options), true)

  readonly mutate: Attempt["mutate"] = (mutation) => {
    this.fixReads()
    this.mutations.push(mutation)
    this.inner.mutate(mutation)
  }

  readonly addReadConflict: Attempt["addReadConflict"] = (range) => {
    this.inner.addReadConflict(range)
  }

  readonly addWriteConflict: Attempt["addWriteConflict"] = (range) => {
    this.writesConflicts = true
    this.inner.addWriteConflict(range)
  }

  readonly watch: Attempt["watch"] = (key) =>
    Effect.map(this.read(() => this.inner.watch(key), true), (inner) => {
      const watch = new Watch(this.link, inner, this.openWatches)
      this.watches.push(watch)
      return watch
    })

  readonly requestVersionstamp: Attempt["requestVersionstamp"] = () => {
    this.inner.requestVersionstamp()
  }

  readonly commit: Attempt["commit"] = Effect.suspend(() => {
    if (this.timedOut) return fail(1031, "commit")
    if (this.mutations.length === 0 && !this.writesConflicts) {
      return Effect.tap(this.inner.commit, () => Effect.sync(() => this.committed()))
    }
    return this.exchange<Engine.Committed>("commit", (reply) => this.needVersion(() => this.sendCommit(reply)))
  })

  readonly dispose: Effect.Effect<void> = Effect.suspend(() => {
    this.cancelTimeout?.()
    this.cancelTimeout = undefined
    this.calls.clear()
    // A commit that is still on its way disposes of the attempt itself.
    return this.inFlight ? Effect.void : this.inner.dispose
  })

  private sendCommit(reply: (answer: Effect.Effect<Engine.Committed, FdbError>, known: boolean) => void): void {
    const { link } = this
    const { random, database, process, rates } = link
    this.inFlight = true
    const late = random.happens(rates.late)
    if (late) database.log.add(process.name, "fault", { kind: "late-commit" })
    const delay = link.latency() + (late ? random.between(200 * millisecond, 6 * second) : 0)
    const fault = random.happens(rates.conflict)
      ? 1020
      : random.happens(rates.tooOld)
      ? 1007
      : random.happens(rates.unknown)
      ? 1021
      : undefined
    const lands = fault === undefined || (fault === 1021 && random.happens(0.5))
    const done = (answer: Effect.Effect<Engine.Committed, FdbError>, known: boolean): void => {
      this.inFlight = false
      runNow(this.inner.dispose)
      reply(answer, known)
    }
    link.toDatabase(delay, (fresh) => {
      if (fault !== undefined) {
        database.log.add(process.name, "fault", { kind: String(fault), committed: fresh && lands })
      }
      if (!fresh) return done(fail(1021, "commit"), true)
      if (!lands) return done(fail(fault, "commit"), true)
      const readVersion = this.knownVersion
      database.submit({
        by: process.name,
        transaction: this.inner,
        mutations: this.mutations,
        answer: (exit, injected) => {
          if (exit._tag === "Success" && process.isAlive) this.committed()
          if (exit._tag === "Failure" && !injected) this.logFailure(exit, readVersion)
          done(fault === undefined ? exit : fail(fault, "commit"), false)
        }
      })
    })
  }

  /** A failure that nobody has injected. */
  private logFailure(exit: Exit.Exit<unknown, FdbError>, readVersion: bigint | undefined): void {
    const { database, process } = this.link
    const error = Exit.findErrorOption(exit)
    const code = error._tag === "Some" ? error.value.code : undefined
    const what = code === 1020 ? "conflict" : "refused"
    database.log.add(process.name, what, { code, since: readVersion, tag: this.options.tag })
  }

  private committed(): void {
    for (const watch of this.watches) watch.start()
  }

  /** What reads see of the own writes is what was written before they were asked for. */
  private fixReads(): void {
    for (const read of this.pendingReads) {
      if (read.ask === undefined) continue
      read.answer = runNow(read.ask())
      read.ask = undefined
    }
  }

  private read<A>(ask: () => Effect.Effect<A, FdbError>, fallible: boolean): Effect.Effect<A, FdbError> {
    return Effect.suspend(() => {
      if (this.timedOut) return fail(1031, "read")
      const { link } = this
      const { now } = link.process.scheduler
      if (!fallible && this.versionAt !== undefined && this.versionAt <= now) return ask()
      const pending: PendingRead = { ask, answer: undefined }
      this.pendingReads.add(pending)
      return this.exchange<A>("read", (reply) => {
        this.needVersion(() => {
          if (!fallible) return reply(this.answerOf<A>(pending), true)
          link.toDatabase(link.latency(), (fresh) => {
            const fault = fresh ? this.readFault() : link.random.pick(staleReads)
            reply(fault === undefined ? this.answerOf<A>(pending) : fail(fault, "read"), true)
          })
        })
      })
    })
  }

  /** The answer to a read, looked up when it is used: at a fixed version it does not matter when. */
  private answerOf<A>(pending: PendingRead): Effect.Effect<A, FdbError> {
    return Effect.suspend(() => {
      this.pendingReads.delete(pending)
      return (pending.answer ?? pending.ask!()) as Effect.Effect<A, FdbError>
    })
  }

  private readFault(): number | undefined {
    const { random, database, process, rates } = this.link
    const code = random.happens(rates.tooOld)
      ? 1007
      : random.happens(rates.future)
      ? 1009
      : random.happens(rates.behind)
      ? 1037
      : undefined
    if (code !== undefined) database.log.add(process.name, "fault", { kind: String(code) })
    return code
  }

  /** Goes on once the read version is there: the first to need it asks for it. */
  private needVersion(go: () => void): void {
    const { link } = this
    if (this.versionAt !== undefined) return go()
    if (this.waitForVersion !== undefined) {
      this.waitForVersion.push(go)
      return
    }
    const waiting = this.waitForVersion = [go]
    link.toDatabase(link.latency(), () => {
      const { random, database, process, rates } = link
      if (this.options.causalReadRisky && random.happens(rates.lag)) {
        database.log.add(process.name, "fault", { kind: "lag" })
        runNow(this.inner.setReadVersion(database.laggingVersion()))
      }
      const exit = runNow(this.inner.readVersion)
      if (exit._tag === "Success") this.knownVersion = exit.value
      link.toProcess(link.latency(), () => {
        this.versionAt = link.process.scheduler.now
        for (const next of waiting) next()
      })
    })
  }

  /** A question and its answer, which comes back over the link, or not before the attempt's time is up. */
  private exchange<A>(
    phase: Phase,
    send: (reply: (answer: Effect.Effect<A, FdbError>, known: boolean) => void) => void
  ): Effect.Effect<A, FdbError> {
    return Effect.callback<A, FdbError>((resume) => {
      const { link } = this
      if (link.isReplaced) return resume(fail(replaced, phase))
      this.armTimeout()
      const call: Call = { phase, resume }
      this.calls.add(call)
      send((answer, known) => {
        link.toProcess(link.latency(), (fresh) => {
          if (call.resume === undefined) return
          call.resume = undefined
          this.calls.delete(call)
          // Whoever waits through a fault of the way for the outcome of a commit is not told what it was.
          if (link.isReplaced) resume(fail(replaced, phase))
          else resume(phase === "commit" && !fresh && !known ? fail(1021, "commit") : answer)
        })
      })
      return Effect.sync(() => {
        call.resume = undefined
        this.calls.delete(call)
      })
    })
  }

  private armTimeout(): void {
    if (this.cancelTimeout !== undefined || this.timedOut) return
    const { clock } = this.link.process
    const due = clock.monotonic() + Math.ceil(Math.min(this.options.timeoutMillis, unlimited) * millisecond)
    this.cancelTimeout = clock.timer(due, () => {
      this.link.process.post(() => {
        this.timedOut = true
        for (const { phase, resume } of this.calls) resume?.(fail(1031, phase))
      })
    })
  }
}

/** The cluster's engine over a link. Ends what the database keeps for the process when that is killed. */
export const make = (link: Link): Engine.Engine => {
  const openWatches = new Set<Watch>()
  link.process.whenKilled(() => {
    for (const watch of openWatches) watch.forget()
  })
  link.whenReplaced(() => {
    for (const watch of openWatches) watch.fail()
  })
  return {
    ...link.database.engine,
    begin: (options) => new Transaction(link, options, openWatches)
  }
}
