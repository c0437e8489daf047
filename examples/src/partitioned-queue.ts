/**
 * A partitioned queue: each partition is a shard, consumed by one process at a time, in order. Consumers come and go; those that
 * are there share the partitions evenly. `guard` lets a job be taken only under the leadership of its partition.
 */
import { Database, MemoryDatabase, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { LeaderElection, type Leadership } from "@effect-fdb/leader-election"
import { Console, Effect, Fiber, Result } from "effect"

const partitions = 4
const jobs = 40

const queue = LeaderElection.shards(Subspace.fromTuple(["shop", "queue", "shards"]), { shards: partitions })
const waiting = Subspace.fromTuple(["shop", "queue", "waiting"])
const done = Subspace.fromTuple(["shop", "queue", "done"])

/** All jobs of one customer are in one partition, so they are done one after the other. */
const produce = Effect.gen(function*() {
  for (let job = 0; job < jobs; job++) {
    const partition = job % partitions
    yield* Database.transact(Transaction.use((tx) => tx.set(waiting.pack([partition, job]), new Uint8Array())))
    yield* Effect.sleep("100 millis")
  }
})

/** Moves the first job of a partition to those that are done, as the newest of them; tells whether there was one. */
const takeNext = (partition: number) =>
  Effect.gen(function*() {
    const tx = yield* Transaction
    const [first] = yield* tx.getRange(waiting.range([partition]), { limit: 1 })
    if (first === undefined) return false
    const [, job] = Result.getOrThrow(waiting.unpack(first.key))
    yield* tx.clear(first.key)
    yield* tx.setVersionstampedKey(
      done.packVersionstamped([partition, Tuple.incompleteVersionstamp(0)]),
      Tuple.pack([job!])
    )
    return true
  })

const consume = (partition: number, { guard }: Leadership) =>
  Effect.forever(
    Effect.flatMap(guard(takeNext(partition)), (wasThere) => wasThere ? Effect.void : Effect.sleep("20 millis"))
  )

/** A consumer, in a process of its own. */
const begin = Effect.fnUntraced(function*(id: string) {
  const candidacy = yield* queue.candidacy({ id })
  const fiber = yield* Effect.forkChild(candidacy.run(consume))
  return { ...candidacy, fiber }
})

const report = (...consumers: ReadonlyArray<Effect.Success<ReturnType<typeof begin>>>) =>
  Effect.gen(function*() {
    // A consumer that joins waits a moment for others that may join at the same time.
    yield* Effect.sleep("1 second")
    for (const { id, led } of consumers) yield* Console.log(`${id} consumes ${(yield* led).join(", ")}`)
  })

export const main = Effect.gen(function*() {
  const producer = yield* Effect.forkChild(produce)
  const first = yield* begin("consumer-1")
  yield* report(first)
  const second = yield* begin("consumer-2")
  yield* report(first, second)
  yield* Console.log("consumer-1 is to be drained")
  yield* first.setWeight(0)
  yield* report(second)
  yield* Fiber.interrupt(first.fiber)
  const third = yield* begin("consumer-3")
  yield* report(second, third)
  yield* Fiber.join(producer)
  yield* Effect.sleep("1 second")
  yield* Effect.forEach([second, third], ({ fiber }) => Fiber.interrupt(fiber))

  const taken = yield* Database.transact(Transaction.use((tx) => tx.getRange(done.range())))
  const order = taken.map(({ value }) => Number(Result.getOrThrow(Tuple.unpack(value))[0]))
  const expected = Array.from({ length: jobs }, (_, n) => n).toSorted((a, b) =>
    a % partitions - b % partitions || a - b
  )
  yield* Console.log(
    order.join() === expected.join() ? `${jobs} jobs are done, each once and in order` : `the order was ${order.join()}`
  )
}).pipe(Effect.provide(MemoryDatabase.layer))
