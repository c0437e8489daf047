/** What is done to the candidates, phase by phase, and how long it takes until another one works. */
import { Database } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { CandidateProcess, CandidateReport, Processes } from "./Processes.ts"
import { config, type Records } from "./Records.ts"
import type { Timeline } from "./Timeline.ts"

/** A change of leaders: why, and how long from its cause until the new leader's work was running. */
export interface Change {
  readonly term: bigint
  readonly leader: string
  readonly reason: string
  readonly tookMillis: number
  readonly tookLeases: number
}

const leaseMillis = Duration.toMillis(config.leaseDuration)

/** How long each leader works before the next phase. */
const pause = "1200 millis"

/**
 * Stops a process, but not within its commit: a process that is stopped with LMDB's lock blocks all writes until it continues.
 */
const freeze = Effect.fnUntraced(function*(candidate: CandidateProcess, records: Records) {
  const isFree = Database.transact(records.probe, { timeout: "1 second" }).pipe(
    Effect.match({ onFailure: () => false, onSuccess: () => true })
  )
  yield* candidate.signal("SIGSTOP")
  while (!(yield* isFree)) {
    yield* candidate.signal("SIGCONT")
    yield* Effect.sleep("7 millis")
    yield* candidate.signal("SIGSTOP")
  }
})

export const run = Effect.fnUntraced(function*(processes: Processes, records: Records, timeline: Timeline) {
  const changes: Array<Change> = []
  let term = 0n
  let leader = ""

  const current = (): CandidateProcess => processes.running.get(leader)!

  /** The next phase, once somebody leads: on a busy host a leader may lose so short a lease between two phases. */
  const phase = Effect.fnUntraced(function*(title: () => string) {
    while (true) {
      const work = processes.reports.findLast((one) => one.kind === "work")
      if (work === undefined) break
      term = work.term
      leader = work.who
      if (!processes.reports.some((one) => one.kind === "lost" && one.term === term)) break
      yield* processes.until("a leader", (one): one is CandidateReport => one.kind === "work" && one.term > term)
    }
    yield* timeline.heading(title())
  })

  /** Does something, and waits for the work of a later term. */
  const change = Effect.fnUntraced(function*<E, R>(reason: string, cause: Effect.Effect<unknown, E, R>) {
    const begun = yield* Clock.monotonicTimeNanos
    yield* cause
    const work = yield* processes.until(
      `a leader after the ${reason}`,
      (one): one is CandidateReport & { readonly kind: "work" } => one.kind === "work" && one.term > term
    )
    const tookMillis = Math.round(Number(work.at - begun) / 1e5) / 10
    term = work.term
    leader = work.who
    changes.push({ term, leader, reason, tookMillis, tookLeases: Math.round(tookMillis / leaseMillis * 100) / 100 })
    yield* timeline.event(leader, `works, ${tookMillis} ms after the ${reason}`)
    yield* Effect.sleep(pause)
  })

  yield* phase(() => "Three candidates of equal priority are started")
  yield* change("start", Effect.forEach(["ada", "bea", "cyn"], (who) => processes.start(who, 1)))

  yield* phase(() => `The leader, ${leader}, resigns`)
  yield* change("resignation", Effect.suspend(() => current().tell("resign")))

  yield* phase(() => `The leader, ${leader}, is killed (SIGKILL), and later started again`)
  const killed = leader
  yield* change("kill", Effect.suspend(() => current().signal("SIGKILL")))
  yield* processes.start(killed, 1)
  yield* Effect.sleep(pause)

  yield* phase(() => `The leader, ${leader}, is stopped (SIGSTOP) past its lease, and continues (SIGCONT)`)
  const frozen = current()
  const held = term
  yield* change("freeze", freeze(frozen, records))
  yield* timeline.event(frozen.who, "continues")
  yield* frozen.signal("SIGCONT")
  const knows = (one: CandidateReport): one is CandidateReport =>
    one.kind === "late write" && one.who === frozen.who && one.term === held
  if (!processes.reports.some(knows)) yield* processes.until(`${frozen.who} to find that it has lost`, knows)
  yield* Effect.sleep(pause)

  yield* phase(() => `The leader, ${leader}, is cut off from the store`)
  const cut = current()
  yield* change("cut", cut.tell("cut"))
  yield* cut.tell("mend")
  yield* Effect.sleep(pause)

  yield* phase(() => "A candidate of higher priority is started")
  yield* change("preemption", processes.start("dora", 9))

  yield* phase(() => "Everybody is asked to end (SIGTERM)")
  yield* Effect.forEach(
    processes.running.values(),
    (candidate) => Effect.andThen(Effect.ignoreCause(candidate.signal("SIGTERM")), candidate.ended),
    { concurrency: "unbounded" }
  ).pipe(Effect.timeout("10 seconds"))
  return changes
})
