/** The play: what is done to the candidates, act by act, and how long it took until another one's work was running. */
import { Database } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Account } from "./account.ts"
import { config, type Stage } from "./election.ts"
import type { Member, Testimony, Troupe } from "./troupe.ts"

/** A change of leaders: why, and how long from its cause until the new leader's work was running. */
export interface Change {
  readonly term: bigint
  readonly leader: string
  readonly reason: string
  readonly tookMillis: number
  readonly tookLeases: number
}

const leaseMillis = Duration.toMillis(config.leaseDuration)

/** How long each leader is left alone before the next act. */
const interlude = "1200 millis"

/**
 * Stops a process, but not within a commit: what is stopped while it has LMDB's lock keeps everybody from writing until it
 * is thawed or killed.
 */
const freeze = Effect.fnUntraced(function*(member: Member, stage: Stage) {
  const isFree = Database.transact(stage.probe, { timeout: "1 second" }).pipe(
    Effect.match({ onFailure: () => false, onSuccess: () => true })
  )
  yield* member.signal("SIGSTOP")
  while (!(yield* isFree)) {
    yield* member.signal("SIGCONT")
    yield* Effect.sleep("7 millis")
    yield* member.signal("SIGSTOP")
  }
})

export const play = Effect.fnUntraced(function*(troupe: Troupe, stage: Stage, account: Account) {
  const changes: Array<Change> = []
  let term = 0n
  let leader = ""

  const current = (): Member => troupe.members.get(leader)!

  /** The next act, once somebody leads: on a busy host so short a lease may be lost between the acts. */
  const act = Effect.fnUntraced(function*(title: () => string) {
    while (true) {
      const work = troupe.testimonies.findLast((one) => one.kind === "work")
      if (work === undefined) break
      term = work.term
      leader = work.who
      if (!troupe.testimonies.some((one) => one.kind === "lost" && one.term === term)) break
      yield* troupe.until("a leader", (one): one is Testimony => one.kind === "work" && one.term > term)
    }
    yield* account.act(title())
  })

  /** Does something, and waits for the work of a later term. */
  const change = Effect.fnUntraced(function*<E, R>(reason: string, cause: Effect.Effect<unknown, E, R>) {
    const begun = yield* Clock.monotonicTimeNanos
    yield* cause
    const work = yield* troupe.until(
      `a leader after the ${reason}`,
      (one): one is Testimony & { readonly kind: "work" } => one.kind === "work" && one.term > term
    )
    const tookMillis = Math.round(Number(work.at - begun) / 1e5) / 10
    term = work.term
    leader = work.who
    changes.push({ term, leader, reason, tookMillis, tookLeases: Math.round(tookMillis / leaseMillis * 100) / 100 })
    yield* account.say(leader, `works, ${tookMillis} ms after the ${reason}`)
    yield* Effect.sleep(interlude)
  })

  yield* act(() => "Three candidates of equal priority are started")
  yield* change("start", Effect.forEach(["ada", "bea", "cyn"], (who) => troupe.enter(who, 1)))

  yield* act(() => `The leader, ${leader}, resigns`)
  yield* change("resignation", Effect.suspend(() => current().tell("resign")))

  yield* act(() => `The leader, ${leader}, is killed (SIGKILL), and later started again`)
  const killed = leader
  yield* change("kill", Effect.suspend(() => current().signal("SIGKILL")))
  yield* troupe.enter(killed, 1)
  yield* Effect.sleep(interlude)

  yield* act(() => `The leader, ${leader}, is frozen (SIGSTOP), past its lease, and thawed (SIGCONT)`)
  const frozen = current()
  const held = term
  yield* change("freeze", freeze(frozen, stage))
  yield* account.say(frozen.who, "is thawed")
  yield* frozen.signal("SIGCONT")
  const knows = (one: Testimony): one is Testimony =>
    one.kind === "late write" && one.who === frozen.who && one.term === held
  if (!troupe.testimonies.some(knows)) yield* troupe.until(`${frozen.who} to find that it has lost`, knows)
  yield* Effect.sleep(interlude)

  yield* act(() => `The leader, ${leader}, is cut off from the store`)
  const cut = current()
  yield* change("cut", cut.tell("cut"))
  yield* cut.tell("mend")
  yield* Effect.sleep(interlude)

  yield* act(() => "A candidate of higher priority is started")
  yield* change("preemption", troupe.enter("dora", 9))

  yield* act(() => "Everybody is asked to end (SIGTERM)")
  yield* Effect.forEach(
    troupe.members.values(),
    (member) => Effect.andThen(Effect.ignoreCause(member.signal("SIGTERM")), member.ended),
    { concurrency: "unbounded" }
  ).pipe(Effect.timeout("10 seconds"))
  return changes
})
