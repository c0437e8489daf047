/** How shards move between real processes when one joins, leaves, or is killed. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Benchmark, Figure } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import * as Store from "../processes/Store.ts"

const config = new ElectionConfig({})
const heartbeat = Duration.toMillis(config.heartbeatInterval)
const lease = Duration.toMillis(config.leaseDuration)
const others = ["ada", "bea", "cyn"]
const last = "dan"

interface Tenure {
  readonly shard: number
  readonly who: string
  readonly begun: number
  ended: number
}

const isOpen = ({ ended }: Tenure): boolean => ended === Number.POSITIVE_INFINITY

/** The pairs of works on one shard at one time. */
const countOverlaps = (tenures: ReadonlyArray<Tenure>): number => {
  const inOrder = tenures.toSorted((a, b) => a.shard - b.shard || a.begun - b.begun)
  return inOrder.filter((tenure, i) => tenure.shard === inOrder[i - 1]?.shard && tenure.begun < inOrder[i - 1]!.ended)
    .length
}

const run = Effect.fnUntraced(function*(store: Store.Store, shards: number) {
  const candidates = yield* Candidates.make({ store, of: "shards", elections: shards, config })
  const tenures: Array<Tenure> = []
  const living = new Set<string>()
  const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
  const openOf = (who: string) => tenures.filter((tenure) => tenure.who === who && isOpen(tenure))

  /** Whether all are led, and each living process leads the mean, rounded up or down. */
  const areShared = (): boolean =>
    [...living].every((who) => Math.abs(openOf(who).length - shards / living.size) < 1) &&
    new Set(tenures.filter(isOpen).map(({ shard }) => shard)).size === shards

  /** Waits until the shards are shared and nothing has moved for two heartbeats. */
  const settled = Effect.gen(function*() {
    let moved = 0
    let movedAt = 0
    while (true) {
      const next = yield* Effect.timeoutOption(candidates.next("a move"), 2 * heartbeat)
      if (Option.isNone(next)) {
        if (areShared()) return { moved, movedAt }
      } else if (next.value.kind === "works") {
        const { at, index, who } = next.value
        tenures.push({ shard: index, who, begun: at, ended: Number.POSITIVE_INFINITY })
        moved++
        movedAt = at
      } else if (next.value.kind === "ended") {
        const { at, index, who } = next.value
        openOf(who).find(({ shard }) => shard === index)!.ended = at
      }
    }
  }).pipe(
    Effect.timeoutOrElse({
      duration: "2 minutes",
      orElse: () => Effect.fail(new Candidates.Stuck({ waitingFor: "all shards to be shared" }))
    })
  )

  const measured = Effect.fnUntraced(function*<E>(name: string, atMost: number, change: Effect.Effect<number, E>) {
    const handedOver = openOf(last).length
    const since = yield* change
    const { moved, movedAt } = yield* settled
    const least = Math.max(handedOver, openOf(last).length)
    return [
      { name: `${name}: until all are led and shared`, unit: "ms", here: movedAt - since, reach: { atMost } },
      { name: `${name}: moved, over the least possible`, unit: "times", here: moved / least, reach: { atMost: 1.2 } }
    ]
  })
  const join = Effect.map(candidates.begin(last), ({ at }) => {
    living.add(last)
    return at
  })
  const leave = Effect.tap(now, () => {
    living.delete(last)
    return candidates.resign(last, Duration.toMillis("1 hour"))
  })
  const die = Effect.tap(now, (at) => {
    living.delete(last)
    openOf(last).forEach((tenure) => tenure.ended = at)
    return candidates.kill(last)
  })

  yield* Effect.forEach(others, candidates.start)
  others.forEach((name) => living.add(name))
  yield* settled
  const figures: ReadonlyArray<Figure> = [
    ...(yield* measured("a join", 2 * heartbeat, join)),
    ...(yield* measured("a clean leave", heartbeat, leave)),
    ...(yield* measured("a join again", 2 * heartbeat, Effect.andThen(candidates.kill(last), join))),
    ...(yield* measured("a kill", lease, die)),
    { name: "works that overlapped", unit: "works", here: countOverlaps(tenures), reach: { atMost: 0 } }
  ]
  return figures
})

export const shards: Benchmark = {
  name: "shards",
  title: "1,024 shards led by three and four real processes, lease 10 s, heartbeat 3 s",
  betweenProcesses: true,
  run: ({ engine, quick }) => Store.use(engine, {}, (store) => run(store, quick ? 64 : 1024))
}
