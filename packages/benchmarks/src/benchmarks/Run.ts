/** `fdb-election run` where the wrapper of the leader is killed, but not its command. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Benchmark } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import * as Store from "../processes/Store.ts"
import * as Wrappers from "../processes/Wrappers.ts"
import { percentile } from "../Summary.ts"
import { measureFreezes } from "./Crash.ts"

const { leaseDuration } = new ElectionConfig({})
const shortLease = Duration.seconds(2)
/** In milliseconds. A wrapper that was started campaigns after this time. */
const started = 2000

/** The milliseconds to the successor's command, from each SIGKILL of a wrapper and from the end of its command. */
const measureWrappers = Effect.fnUntraced(
  function*(wrappers: Wrappers.Wrappers, names: ReadonlyArray<string>, kills: number) {
    yield* Effect.forEach(names, wrappers.start)
    const sinceKill: Array<number> = []
    const sinceEnd: Array<number> = []
    let leader = yield* wrappers.next(["begun"])
    while (sinceEnd.length < kills) {
      yield* Effect.sleep(started + (yield* Random.nextBetween(0, 3000)))
      const killed = yield* Clock.currentTimeMillis
      yield* wrappers.kill(leader.who)
      const ended = yield* wrappers.next(["ended"])
      const successor = yield* wrappers.next(["begun"])
      sinceKill.push(successor.at - killed)
      sinceEnd.push(successor.at - ended.at)
      yield* wrappers.start(leader.who)
      leader = successor
    }
    return { sinceEnd, sinceKill }
  }
)

export const run: Benchmark = {
  name: "run",
  title: "fdb-election run, SIGKILL of the wrapper of a command that ends on SIGTERM, lease 10 s",
  betweenProcesses: true,
  run: ({ engine, quick }) =>
    Effect.scoped(Effect.gen(function*() {
      const wrappers = yield* Wrappers.make(engine, "obeys", leaseDuration)
      const { sinceEnd, sinceKill } = yield* measureWrappers(wrappers, ["ada", "bea", "cyn"], quick ? 2 : 20)
      const label = "the successor's command begins"
      return [
        { name: `${label}, after the SIGKILL: p50`, unit: "ms", here: percentile(sinceKill, 0.5) },
        { name: `${label}, after the end of the command: p50`, unit: "ms", here: percentile(sinceEnd, 0.5) },
        {
          name: `${label}, after the end of the command: most`,
          unit: "ms",
          here: percentile(sinceEnd, 1),
          reach: { atMost: 250 }
        }
      ]
    }))
}

/**
 * Kills wrappers beside a command that resists: the one that leads, and every fourth time also the one that is to succeed it, at a random
 * instant about its election. Returns the overlaps of commands.
 */
const countOverlaps = Effect.fnUntraced(function*(wrappers: Wrappers.Wrappers, kills: number) {
  let started = 0
  let alive: ReadonlyArray<string> = []
  const start = Effect.suspend(() => {
    const who = `wrapper-${started++}`
    alive = [...alive, who]
    return wrappers.start(who)
  })
  const kill = (who: string) => {
    alive = alive.filter((other) => other !== who)
    return wrappers.kill(who)
  }
  let overlaps = 0
  const nextLeader = Effect.gen(function*() {
    while (true) {
      const line = yield* wrappers.next(["begun", "overlap"])
      if (line.kind === "overlap") overlaps++
      else if (alive.includes(line.who)) return line.who
    }
  })
  yield* Effect.andThen(start, start)
  for (let killed = 0; killed < kills; killed++) {
    const leader = yield* nextLeader
    // Often while the command begins.
    const part = yield* Random.next
    yield* Effect.sleep(2000 * part * part)
    yield* kill(leader)
    yield* start
    if (killed % 4 === 3) {
      yield* Effect.sleep(yield* Random.nextBetween(0, 2500))
      yield* kill(alive[0]!)
      yield* start
      killed++
    }
  }
  return overlaps
})

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

export const overlaps: Benchmark = {
  name: "overlaps",
  title: "works that overlap, lease 2 s",
  betweenProcesses: true,
  onlyByName: true,
  run: ({ engine, quick }) =>
    Effect.gen(function*() {
      const atOnce = 5
      const kills = quick ? 4 : 200
      const ofRun = yield* Effect.forEach(
        Array(atOnce).keys(),
        () =>
          Effect.scoped(
            Effect.flatMap(Wrappers.make(engine, "resists", shortLease), (made) => countOverlaps(made, kills))
          ),
        { concurrency: atOnce }
      )
      const freezes = quick ? 2 : 20
      const config = ElectionConfig.withLeaseDuration(shortLease)
      const frozen = yield* Effect.forEach(
        Array(atOnce).keys(),
        () =>
          Store.use(engine, {}, (store) =>
            Effect.flatMap(
              Candidates.make({ store, elections: 1, config, ticking: true }),
              (candidates) => measureFreezes(candidates, freezes)
            )),
        { concurrency: atOnce }
      )
      return [
        { name: "run: SIGKILL of the wrapper, the command resists", unit: "kills", here: atOnce * kills },
        { name: "run: commands that overlapped", unit: "commands", here: sum(ofRun), reach: { atMost: 0 } },
        { name: "SIGSTOP of a leader, continued later", unit: "freezes", here: atOnce * freezes },
        {
          name: "SIGSTOP: works that overlapped",
          unit: "works",
          here: frozen.flatMap(({ overlaps }) => overlaps).filter((millis) => millis > 0).length,
          reach: { atMost: 0 }
        },
        {
          name: "SIGSTOP: p50",
          unit: "leases",
          here: percentile(frozen.flatMap(({ took }) => took), 0.5) / Duration.toMillis(shortLease),
          reach: { atMost: 1 }
        }
      ]
    })
}
