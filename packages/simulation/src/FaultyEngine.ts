/**
 * The engine of a process: that of the database, with the latency of the link and with faults. It fails only as FoundationDB
 * may. A read version is fixed when its request arrives. A commit that times out at the client (1031) may still be applied
 * later. A commit whose client gets 1021 is no longer in flight.
 */
import { type Engine, FdbError, type Mutation } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { millisecond, second } from "./EventScheduler.ts"
import { runNow } from "./internal/runNow.ts"
import type { Link } from "./Link.ts"

type Phase = FdbError["phase"]

/** The error of a client whose database was replaced. */
const replaced = 2990

/** The errors of a read that was under way during a recovery. */
const staleReads = [1007, 1009, 1037] as const

/** A timeout in milliseconds that no history reaches. The decorated engine must not time out. */
const unlimited = 1e12

/** A fiber that waits for a reply. */
interface Call {
  readonly phase: Phase
  readonly resume: (answer: Effect.Effect<never, FdbError>) => void
}

/** Sends a reply. It is `known` unless it is the outcome of a commit, which the link may lose. */
type Reply<A> = (answer: Effect.Effect<A, FdbError>, known: boolean) => void

const fail = (code: number, phase: Phase): Effect.Effect<never, FdbError> => Effect.fail(new FdbError({ code, phase }))

type Answer = Effect.Effect<void, FdbError>

/** A watch over a link. It may fire late, spuriously, or never. */
interface FaultyWatch extends Engine.EngineWatch {
  /** Starts the watch after the commit of its transaction. */
  readonly start: () => void
  readonly forget: () => void
  readonly fail: (code: number) => void
}

/** Decorates a watch, which is one of `open` until it has fired or was forgotten. */
const makeWatch = (link: Link, inner: Engine.EngineWatch, open: Set<FaultyWatch>): FaultyWatch => {
  const { database, process, random } = link
  let answer: Answer | undefined
  const waiting = new Set<(answer: Answer) => void>()
  let listening = false

  const settle = (given: Answer): void => {
    if (answer !== undefined) return
    answer = given
    for (const resume of waiting) resume(given)
  }
  const notify = (): void => {
    if (answer !== undefined) return
    link.toProcess(link.latency(), () => {
      open.delete(watch)
      settle(Effect.void)
    })
  }
  const end = (code: number): void => {
    watch.forget()
    settle(fail(code, "watch"))
  }

  const watch: FaultyWatch = {
    fired: Effect.callback<void, FdbError>((resume) => {
      if (answer !== undefined) return resume(answer)
      waiting.add(resume)
      return Effect.sync(() => void waiting.delete(resume))
    }),
    cancel: Effect.sync(() => end(1025)),
    start: () => {
      if (listening || answer !== undefined) return
      listening = true
      const { lostWatch, spuriousWatch } = database.rates
      if (random.happens(spuriousWatch)) {
        process.scheduler.after(Math.floor(random.exponential(5 * second)), notify)
      }
      const lost = random.happens(lostWatch)
      if (lost) database.log.add(process.name, "fault", { kind: "lost-watch" })
      Effect.runFork(inner.fired).addObserver((exit) => {
        if (exit._tag === "Success" && !lost) notify()
      })
    },
    forget: () => {
      open.delete(watch)
      runNow(inner.cancel)
    },
    fail: (code) => process.post(() => end(code))
  }
  open.add(watch)
  return watch
}

const makeTransaction = (
  link: Link,
  options: Engine.AttemptOptions,
  openWatches: Set<FaultyWatch>
): Engine.EngineTransaction => {
  const { database, process, random } = link
  const { log } = database
  const inner = database.engine.begin({ ...options, timeoutMillis: unlimited })
  const calls = new Set<Call>()
  /** Each fixes the result of a read without a reply, which must not see later mutations of its transaction. */
  const pendingReads = new Set<() => void>()
  const mutations: Array<Mutation> = []
  const watches: Array<FaultyWatch> = []
  let cancelTimeout: (() => void) | undefined
  let timedOut = false
  let writesConflicts = false
  /** When the reply with the read version arrived. The database has fixed the version earlier. */
  let versionAt: number | undefined
  let knownVersion: bigint | undefined
  let waitForVersion: Array<() => void> | undefined
  let inFlight = false

  const armTimeout = (): void => {
    if (cancelTimeout !== undefined || timedOut) return
    const due = process.clock.monotonic() + Math.ceil(Math.min(options.timeoutMillis, unlimited) * millisecond)
    cancelTimeout = process.clock.timer(due, () =>
      process.post(() => {
        timedOut = true
        for (const { phase, resume } of calls) resume(fail(1031, phase))
      }))
  }

  /** Sends a request, and waits for its reply or for the timeout of the transaction. */
  const exchange = <A>(phase: Phase, send: (reply: Reply<A>) => void): Effect.Effect<A, FdbError> =>
    Effect.callback<A, FdbError>((resume) => {
      if (link.isReplaced) return resume(fail(replaced, phase))
      armTimeout()
      const call: Call = { phase, resume }
      calls.add(call)
      send((answer, known) =>
        link.toProcess(link.latency(), (fresh) => {
          if (!calls.delete(call)) return
          // A client whose reply waited for the network does not get the outcome of its commit.
          if (link.isReplaced) resume(fail(replaced, phase))
          else resume(phase === "commit" && !fresh && !known ? fail(1021, "commit") : answer)
        })
      )
      return Effect.sync(() => void calls.delete(call))
    })

  /** Calls `go` with a read version. The first call requests it. */
  const needVersion = (go: () => void): void => {
    if (versionAt !== undefined) return go()
    if (waitForVersion !== undefined) return void waitForVersion.push(go)
    const waiting = waitForVersion = [go]
    link.toDatabase(link.latency(), () => {
      if (options.causalReadRisky && random.happens(database.rates.lag)) {
        log.add(process.name, "fault", { kind: "lag" })
        runNow(inner.setReadVersion(database.laggingVersion()))
      }
      const exit = runNow(inner.readVersion)
      if (exit._tag === "Success") knownVersion = exit.value
      link.toProcess(link.latency(), () => {
        versionAt = process.scheduler.now
        for (const next of waiting) next()
      })
    })
  }

  const readFault = (): number | undefined => {
    const { behind, future, tooOld } = database.rates
    const code = random.first([[tooOld, 1007], [future, 1009], [behind, 1037]])
    if (code !== undefined) log.add(process.name, "fault", { kind: String(code) })
    return code
  }

  const read = <A>(ask: () => Effect.Effect<A, FdbError>, isFallible = true): Effect.Effect<A, FdbError> =>
    Effect.suspend(() => {
      if (timedOut) return fail(1031, "read")
      if (!isFallible && versionAt !== undefined && versionAt <= process.scheduler.now) return ask()
      let fixed: Exit.Exit<A, FdbError> | undefined
      const fix = () => {
        fixed ??= runNow(ask())
      }
      pendingReads.add(fix)
      // The read is made when its reply arrives. At a fixed version the result is the same.
      const answer = Effect.suspend(() => {
        pendingReads.delete(fix)
        return fixed ?? ask()
      })
      return exchange<A>("read", (reply) =>
        needVersion(() => {
          if (!isFallible) return reply(answer, true)
          link.toDatabase(link.latency(), (fresh) => {
            const fault = fresh ? readFault() : random.pick(staleReads)
            reply(fault === undefined ? answer : fail(fault, "read"), true)
          })
        }))
    })

  const startWatches = (): void => watches.forEach((watch) => watch.start())

  /** A failure that was not injected. */
  const logFailure = (exit: Exit.Exit<unknown, FdbError>, since: bigint | undefined): void => {
    const error = Exit.findErrorOption(exit)
    const code = error._tag === "Some" ? error.value.code : undefined
    log.add(process.name, code === 1020 ? "conflict" : "refused", { code, since, tag: options.tag })
  }

  const sendCommit = (reply: Reply<Engine.Committed>): void => {
    const { conflict, tooOld, unknown, ...rates } = database.rates
    inFlight = true
    const late = random.happens(rates.late)
    if (late) log.add(process.name, "fault", { kind: "late-commit" })
    const sentAt = process.scheduler.now
    const delay = link.latency() + (late ? random.between(200 * millisecond, 6 * second) : 0)
    const fault = random.first([[conflict, 1020], [tooOld, 1007], [unknown, 1021]])
    const lands = fault === undefined || (fault === 1021 && random.happens(0.5))
    const done: Reply<Engine.Committed> = (answer, known) => {
      inFlight = false
      runNow(inner.dispose)
      reply(answer, known)
    }
    link.toDatabase(delay, (fresh) => {
      if (fault !== undefined) {
        log.add(process.name, "fault", { kind: String(fault), committed: fresh && lands })
      }
      if (!fresh) return done(fail(1021, "commit"), true)
      if (!lands) return done(fail(fault, "commit"), true)
      const readVersion = knownVersion
      database.submit({
        by: process.name,
        sentAt,
        transaction: inner,
        mutations,
        answer: (exit, injected) => {
          if (exit._tag === "Success" && process.isAlive) startWatches()
          if (exit._tag === "Failure" && !injected) logFailure(exit, readVersion)
          done(fault === undefined ? exit : fail(fault, "commit"), false)
        }
      })
    })
  }

  return {
    readVersion: Effect.suspend(() => read(() => inner.readVersion, false)),
    setReadVersion: (version) =>
      Effect.tap(inner.setReadVersion(version), () =>
        Effect.sync(() => {
          versionAt = 0
          knownVersion = version
        })),
    get: (key, snapshot) => read(() => inner.get(key, snapshot)),
    getAll: (keys, snapshot) => read(() => inner.getAll(keys, snapshot)),
    getKey: (selector, snapshot) => read(() => inner.getKey(selector, snapshot)),
    getPage: (begin, end, options) => read(() => inner.getPage(begin, end, options)),
    mutate: (mutation) => {
      for (const fix of pendingReads) fix()
      mutations.push(mutation)
      inner.mutate(mutation)
    },
    addReadConflict: (range) => inner.addReadConflict(range),
    addWriteConflict: (range) => {
      writesConflicts = true
      inner.addWriteConflict(range)
    },
    watch: (key) =>
      Effect.map(read(() => inner.watch(key)), (innerWatch) => {
        const watch = makeWatch(link, innerWatch, openWatches)
        watches.push(watch)
        return watch
      }),
    requestVersionstamp: () => inner.requestVersionstamp(),
    commit: Effect.suspend(() => {
      if (timedOut) return fail(1031, "commit")
      if (mutations.length === 0 && !writesConflicts) {
        return Effect.tap(inner.commit, () => Effect.sync(startWatches))
      }
      return exchange<Engine.Committed>("commit", (reply) => needVersion(() => sendCommit(reply)))
    }),
    dispose: Effect.suspend(() => {
      cancelTimeout?.()
      cancelTimeout = undefined
      calls.clear()
      // A commit in flight disposes of the transaction itself.
      return inFlight ? Effect.void : inner.dispose
    })
  }
}

/** The engine of the database over a link. Its watches end with the process. */
export const make = (link: Link): Engine.Engine => {
  const openWatches = new Set<FaultyWatch>()
  link.process.whenKilled(() => openWatches.forEach((watch) => watch.forget()))
  link.whenReplaced(() => openWatches.forEach((watch) => watch.fail(replaced)))
  return { ...link.database.engine, begin: (options) => makeTransaction(link, options, openWatches) }
}
