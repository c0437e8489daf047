/** What is done to the candidates, phase by phase, and how long it takes until another one works. */
import { Database } from "@effect-fdb/core"
import { Clock, Duration, Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { CandidateProcess, CandidateProcesses, CandidateReport } from "./CandidateProcesses.ts"
import { config, type Records } from "./records.ts"
import type { Timeline } from "./timeline.ts"

const leaseMillis = Duration.toMillis(config.leaseDuration)

const pause = Effect.sleep("1200 millis")

/**
 * Stops a process, but not within its commit: a process that is stopped with LMDB's lock blocks all writes until it continues.
 */
const freeze = Effect.fnUntraced(function*(candidate: CandidateProcess, records: Records) {
  const isFree = Effect.isSuccess(Database.transact(records.probe, { timeout: "1 second" }))
  yield* candidate.signal("SIGSTOP")
  while (!(yield* isFree)) {
    yield* candidate.signal("SIGCONT")
    yield* Effect.sleep("7 millis")
    yield* candidate.signal("SIGSTOP")
  }
})

/** @param sockets the directory of the witnesses of the store, if it has one */
export const run = Effect.fnUntraced(function*(
  processes: CandidateProcesses,
  records: Records,
  timeline: Timeline,
  sockets: string | undefined
) {
  const { reports, running, start, until } = processes
  const changes: Array<{ term: bigint; leader: string; reason: string; tookMillis: number; tookLeases: number }> = []

  const workAfter = (term: bigint) => (one: CandidateReport) => one._tag === "Work" && one.term > term ? one : undefined

  /** The leader: on a busy host it may lose so short a lease between two phases, and then the next one is waited for. */
  const leader = Effect.gen(function*() {
    while (true) {
      const work = reports.findLast((one) => one._tag === "Work")!
      const isLost = reports.some((one) => one._tag === "Lost" && one.term === work.term)
      if (!isLost) return { ...running.get(work.who)!, term: work.term }
      yield* until("a leader", workAfter(work.term))
    }
  })

  /** Does something, and waits for the work of a term later than this. */
  const change = Effect.fnUntraced(function*<E, R>(reason: string, term: bigint, cause: Effect.Effect<unknown, E, R>) {
    const begun = yield* Clock.monotonicTimeNanos
    yield* cause
    const work = yield* until(`a leader after the ${reason}`, workAfter(term))
    const tookMillis = Math.round(Number(work.at - begun) / 1e5) / 10
    const tookLeases = Math.round(tookMillis / leaseMillis * 100) / 100
    changes.push({ term: work.term, leader: work.who, reason, tookMillis, tookLeases })
    yield* timeline.event(work.who, `works, ${tookMillis} ms after the ${reason}`)
    yield* pause
  })

  yield* timeline.heading("Three candidates of equal priority are started")
  yield* change("start", 0n, Effect.forEach(["ada", "bea", "cyn"], (who) => start(who, 1)))

  const resigning = yield* leader
  yield* timeline.heading(`The leader, ${resigning.who}, resigns`)
  yield* change("resignation", resigning.term, resigning.tell("resign"))

  const killed = yield* leader
  const isWitnessed = sockets === undefined ? "" : ", witnessed by the others"
  yield* timeline.heading(`The leader, ${killed.who}, is killed (SIGKILL)${isWitnessed}, and later started again`)
  yield* change("kill", killed.term, killed.signal("SIGKILL"))
  yield* start(killed.who, 1)
  yield* pause

  if (sockets !== undefined) {
    const unwitnessed = yield* leader
    yield* timeline.heading(
      `The leader, ${unwitnessed.who}, is killed, and nobody witnesses it: its lease is waited for`
    )
    // Without the file of its socket, nobody can see that it refuses.
    const hide = Effect.sync(() => {
      for (const name of fs.readdirSync(sockets)) fs.rmSync(path.join(sockets, name))
    })
    yield* change("unseen kill", unwitnessed.term, Effect.andThen(hide, unwitnessed.signal("SIGKILL")))
    yield* start(unwitnessed.who, 1)
    yield* pause
  }

  const frozen = yield* leader
  yield* timeline.heading(`The leader, ${frozen.who}, is stopped (SIGSTOP) past its lease, and continues (SIGCONT)`)
  yield* change("freeze", frozen.term, freeze(frozen, records))
  yield* timeline.event(frozen.who, "continues")
  yield* frozen.signal("SIGCONT")
  const knows = (one: CandidateReport) =>
    (one._tag === "LateWrite" && one.who === frozen.who && one.term === frozen.term) || undefined
  if (!reports.some(knows)) yield* until(`${frozen.who} to find that it has lost`, knows)
  yield* pause

  const cut = yield* leader
  yield* timeline.heading(`The leader, ${cut.who}, is cut off from the store`)
  yield* change("cut", cut.term, cut.tell("cut"))
  yield* cut.tell("mend")
  yield* pause

  const preempted = yield* leader
  yield* timeline.heading("A candidate of higher priority is started")
  yield* change("preemption", preempted.term, start("dora", 9))

  yield* timeline.heading("Everybody is asked to end (SIGTERM)")
  yield* Effect.forEach(
    running.values(),
    (candidate) => Effect.andThen(Effect.ignoreCause(candidate.signal("SIGTERM")), candidate.ended),
    { concurrency: "unbounded" }
  ).pipe(Effect.timeout("10 seconds"))
  return changes
})
