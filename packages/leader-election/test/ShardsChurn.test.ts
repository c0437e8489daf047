import { Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Random, References, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as ElectionKeys from "../src/internal/storage/keys.ts"
import { makeCluster, type Member } from "./support/ShardCluster.ts"

/** Longer runs: `SEEDS=100 npx vitest run --config vitest.workspace.ts packages/leader-election/test/ShardsChurn.test.ts`. */
const seeds = Number(process.env.SEEDS ?? 3)

const shards = 12

/** What happens to a cluster by chance, and whether it comes to rest after it. */
const churn = Effect.gen(function*() {
  const { balanced, begun, observer, shards: { assignments, reset, subspaceOf }, start, transact } = yield* makeCluster(
    { shards }
  )
  const upTo = (most: number) => Random.nextIntBetween(0, most, { halfOpen: true })
  const join = (id: string) =>
    Effect.gen(function*() {
      const [finalizer, wallOffset] = [yield* upTo(900), yield* upTo(100_000)]
      const work = () => Effect.onInterrupt(Effect.never, () => Effect.sleep(finalizer))
      return yield* start(id, { wallOffset, work })
    })
  const heal = (member: Member) => {
    member.host.connection = "up"
    member.host.watches = true
  }
  const taking = new Set<Member>([yield* join("m0")])
  for (let step = 1; step < 15; step++) {
    const members = [...taking]
    const member = members[yield* upTo(members.length)]
    const what = yield* upTo(11)
    if (what < 3 || member === undefined) taking.add(yield* join(`m${step}`))
    else if (what === 3) {
      yield* member.leave
      taking.delete(member)
    } else if (what === 4) {
      yield* member.kill
      taking.delete(member)
    } else if (what === 5) yield* member.candidacy.setWeight(yield* upTo(4))
    else if (what === 6) member.host.connection = "hangs"
    else if (what === 7) member.host.connection = { failsWith: 1031 }
    else if (what === 8) member.host.watches = false
    else if (what === 9) yield* transact(reset)
    else members.forEach(heal)
    yield* TestClock.adjust(yield* upTo(12_000))
  }
  if (taking.size === 0) taking.add(yield* join("last"))
  const members = [...taking]
  members.forEach(heal)
  yield* Effect.forEach(members, ({ candidacy }) => candidacy.setWeight(1))
  // A coordinator that has died, one who is found dead, and a lease of which its owner has seen nothing.
  yield* balanced(members, 40)
  yield* TestClock.adjust("30 seconds")
  yield* balanced(members, 0)
  const [table] = yield* observer.run(Stream.runCollect(Stream.take(assignments, 1)))
  assert.deepStrictEqual(table!.filter(({ leader, owner }) => leader?.id !== owner), [])
  const [before, parts] = [begun(), members.map(({ works }) => works())]
  yield* TestClock.adjust("1 minute")
  assert.strictEqual(begun(), before)
  assert.deepStrictEqual(members.map(({ works }) => works()), parts)
  // Nobody follows what is not proposed to it; the dead are not evicted yet.
  const living = new Set(members.map(({ id }) => id))
  for (let shard = 0; shard < shards; shard++) {
    const { candidates } = ElectionKeys.make(subspaceOf(shard))
    const pairs = yield* transact(Effect.flatMap(Transaction, (tx) => tx.getRange(candidates.range())))
    const ids = pairs.map(({ key }) => Result.getOrThrow(candidates.unpack(key))[0] as string)
    assert.lengthOf(ids.filter((id) => living.has(id)), Math.min(2, members.length))
  }
})

describe("shards whose members come and go, hang and are mute, by chance", () => {
  for (let seed = 0; seed < seeds; seed++) {
    it.effect(`come to rest, are never led twice, and are followed by two only: seed ${seed}`, () =>
      churn.pipe(
        Effect.scoped,
        Random.withSeed(`churn ${seed}`),
        Effect.provideService(References.MinimumLogLevel, "None")
      ), 120_000)
  }
})
