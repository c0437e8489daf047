import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig } from "../src/index.ts"
import { election, transact } from "./support/candidates.ts"
import { type Host, makeHosts } from "./support/host.ts"

const millis = (n: number) => Duration.millis(Math.round(n))

/** Runs an effect of a host to its end, however long it takes by the test clock. */
const finished = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("100 millis")
    return yield* Fiber.join(fiber)
  })

/** Hosts whose transactions take `each` milliseconds: half of it to read, half to commit, unless a part of it is said. */
const slowHosts = Effect.fnUntraced(function*(each: number, config: ElectionConfig, committing = 0.5) {
  yield* TestClock.adjust(0)
  const reading = millis(each * (1 - committing) / 2)
  const make = yield* makeHosts({ readVersion: reading, read: reading, commit: millis(each * committing) })
  const [operator, a, b, c] = [make(), make(), make(), make()]
  yield* finished(operator.run(Effect.orDie(transact(election.initialize(config)))))
  const leaderId = finished(operator.run(Effect.orDie(transact(election.getLeaderRaw)))).pipe(
    Effect.map((state) => Option.getOrUndefined(state)?.leaderId)
  )
  return { operator, a, b, c, leaderId }
})

const lead = (host: Host, id: string, priority = 0) =>
  Effect.forkDetach(
    host.run(election.withLeadership({ id, priority }, () => Effect.never, { again: true })),
    { startImmediately: true }
  )

const countOf = (host: Host, tag: "Elected" | "Lost") => host.events.filter((event) => event._tag === tag).length

const configOf = (lease: number, heartbeat: number) =>
  new ElectionConfig({
    leaseDuration: millis(lease),
    heartbeatInterval: millis(heartbeat),
    candidateTimeout: millis(lease * 1.5)
  })

/** Somebody leads within two leases, and for fifteen more; when that one falls silent, another does. */
const leadsAndStays = (lease: number, heartbeat: number, each: number) =>
  Effect.gen(function*() {
    const { a, b, leaderId } = yield* slowHosts(each, configOf(lease, heartbeat))
    const how = `lease ${lease} ms, heartbeat ${heartbeat} ms, ${each} ms for each transaction`
    yield* lead(a, "a")
    yield* lead(b, "b")
    yield* TestClock.adjust(millis(2 * lease))
    assert.strictEqual(countOf(a, "Elected") + countOf(b, "Elected"), 1, `one is elected: ${how}`)
    yield* TestClock.adjust(millis(15 * lease))
    assert.strictEqual(countOf(a, "Lost") + countOf(b, "Lost"), 0, `and stays leader: ${how}`)
    const [first, second, successor] = countOf(a, "Elected") === 1 ? [a, b, "b"] : [b, a, "a"]
    first.connection = "hangs"
    yield* TestClock.adjust(millis(4 * lease))
    assert.strictEqual(countOf(first, "Lost"), 1, how)
    assert.strictEqual(countOf(second, "Elected"), 1, `another takes over: ${how}`)
    assert.strictEqual(yield* leaderId, successor)
  })

describe("a database whose transactions take longer than a heartbeat", () => {
  it.effect("does not keep anybody from leading: a heartbeat of 300 ms, 360 ms for each", () =>
    leadsAndStays(10_000, 300, 360))

  for (const heartbeat of [0.01, 0.1, 0.33, 0.5, 0.95]) {
    for (const each of [0.036, 0.1125]) {
      it.effect(`${heartbeat} of a lease between renewals, ${each} of it for each transaction`, () =>
        leadsAndStays(10_000, 10_000 * heartbeat, 10_000 * each))
    }
  }

  it.effect.prop(
    "is led while a transaction takes no more than an eighth of the belief, and half of what versions are kept for",
    {
      lease: Schema.Int.check(Schema.isBetween({ minimum: 500, maximum: 60_000 })),
      heartbeat: Schema.Int.check(Schema.isBetween({ minimum: 5, maximum: 990 })),
      each: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))
    },
    ({ each, heartbeat, lease }) =>
      leadsAndStays(
        lease,
        Math.max(1, Math.floor(lease * heartbeat / 1000)),
        Math.min(2500, lease * 0.9 / 8) * each / 1000
      ),
    { arbitrary: { runs: 15 } }
  )

  for (const [heartbeat, each] of [[300, 360], [300, 1000], [100, 500], [3000, 1000]] as const) {
    const how = `a heartbeat of ${heartbeat} ms, ${each} ms for each`

    for (const committing of [0.1, 0.5, 0.9]) {
      it.effect(`leaves room between renewals for a challenge: ${how}, ${committing} of it for the commit`, () =>
        Effect.gen(function*() {
          const { a, b, leaderId } = yield* slowHosts(each, configOf(10_000, heartbeat), committing)
          yield* lead(a, "a")
          yield* TestClock.adjust("10 seconds")
          yield* lead(b, "b", 5)
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(yield* leaderId, "b")
          assert.strictEqual(countOf(b, "Elected"), 1)
        }))
    }

    it.effect(`leaves an operator room to ask for a step-down, and others the time to lead after it: ${how}`, () =>
      Effect.gen(function*() {
        const { a, b, leaderId, operator } = yield* slowHosts(each, configOf(10_000, heartbeat))
        yield* lead(a, "a")
        yield* TestClock.adjust("10 seconds")
        yield* lead(b, "b")
        yield* TestClock.adjust("10 seconds")
        yield* finished(operator.run(Effect.orDie(transact(election.requestStepDown))))
        yield* TestClock.adjust(millis(10 * each))
        assert.strictEqual(yield* leaderId, "b")
        assert.strictEqual(countOf(a, "Elected"), 1)
      }))

    it.effect(`is resigned in time: ${how}`, () =>
      Effect.gen(function*() {
        const { a, b, leaderId } = yield* slowHosts(each, configOf(10_000, heartbeat))
        const first = yield* lead(a, "a")
        yield* TestClock.adjust("10 seconds")
        yield* lead(b, "b")
        yield* TestClock.adjust("10 seconds")
        yield* Effect.forkChild(Fiber.interrupt(first))
        yield* TestClock.adjust(millis(5 * each))
        assert.strictEqual(yield* leaderId, "b")
      }))
  }

  it.effect("is led once an operator has made the lease longer, though its candidates knew the shorter one only", () =>
    Effect.gen(function*() {
      const { a, b, operator } = yield* slowHosts(2000, configOf(1000, 300))
      yield* lead(a, "a")
      yield* lead(b, "b")
      yield* TestClock.adjust("1 minute")
      yield* finished(operator.run(Effect.orDie(transact(election.writeConfig(configOf(30_000, 1000))))))
      yield* TestClock.adjust("2 minutes")
      const elected = countOf(a, "Elected") + countOf(b, "Elected")
      assert.isAbove(elected, 0)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(countOf(a, "Elected") + countOf(b, "Elected"), elected, "for good")
    }))

  for (const committing of [0.1, 0.5, 0.9]) {
    const how = `${committing} of a transaction to commit`
    it.effect(`is registered in and led though the lease was not known, and is far longer than expected: ${how}`, () =>
      Effect.gen(function*() {
        const { a } = yield* slowHosts(2500, configOf(60_000, 1000), committing)
        yield* lead(a, "a")
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(countOf(a, "Elected"), 1)
      }))
  }
})
