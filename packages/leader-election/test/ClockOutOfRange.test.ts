import { Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { ClockOutOfRange, ElectionConfig } from "../src/index.ts"
import { election, reasonOf, transact } from "./support/candidates.ts"
import { type Host, makeHosts } from "./support/host.ts"

/** Wall clocks that no record can hold, in milliseconds since the epoch. */
const clocks = [
  ["an hour before 1970", -3_600_000],
  ["in 1901", -(2 ** 31) * 1000],
  ["at the very end, so that a lease would end later", 9_223_372_036_854],
  ["in 2263", 9_250_000_000_000],
  ["in the year 10000", 253_402_300_800_000]
] as const

const hosts = Effect.gen(function*() {
  yield* TestClock.adjust(0)
  const make = yield* makeHosts()
  const made = [make(), make()] as const
  yield* made[0].run(transact(election.initialize(new ElectionConfig({}))))
  yield* TestClock.adjust("1 minute")
  return made
})

/** Sets a host's wall clock. */
const setWall = (host: Host, millis: number) =>
  Effect.map(Effect.clockWith((clock) => clock.currentTimeMillis), (now) => {
    host.wallOffset = millis - now
  })

/** All that the election has stored. */
const stored = (host: Host) => host.run(transact(Transaction.use((tx) => tx.getRange(election.subspace.range()))))

/** Every record can be read. */
const readable = (host: Host) =>
  host.run(transact(Effect.all([
    election.readConfig,
    election.getLeaderRaw,
    election.listCandidates,
    election.readChallenge,
    election.readHistory()
  ])))

const lead = (host: Host, id: string, options = { again: false }) =>
  Effect.forkDetach(host.run(election.withLeadership({ id }, () => Effect.never, options)), { startImmediately: true })

const tagsOf = (host: Host) => host.events.map(({ _tag }) => _tag)

const isRefused = (exit: Exit.Exit<unknown, unknown> | undefined) => {
  assert.isTrue(exit !== undefined && Exit.isFailure(exit), "it has failed")
  const error = exit !== undefined && Exit.isFailure(exit)
    ? Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    : 0
  assert.instanceOf(error, ClockOutOfRange)
  assert.include((error as ClockOutOfRange).message, "the wall clock of this process")
}

for (const [when, millis] of clocks) {
  describe(`a process whose wall clock is ${when}`, () => {
    it.effect("writes nothing, and is told why", () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts
        const registration = yield* Effect.flatten(a.run(transact(election.registerCandidate("a"))))
        const won = yield* a.run(transact(election.tryClaimLeadership("a", 0, { registration })))
        const tenure = Option.getOrThrow(won)
        const before = yield* stored(b)
        yield* setWall(a, millis)
        const operations: ReadonlyArray<Effect.Effect<unknown, unknown, Transaction>> = [
          election.registerCandidate("another"),
          election.registerCandidate("a"),
          election.heartbeatCandidate("a"),
          election.tryClaimLeadership("a"),
          election.refreshLease(tenure),
          election.resignLeadership(tenure),
          election.runElectionCycle("a"),
          election.unregisterCandidate("a")
        ]
        for (const operation of operations) {
          // Where the end of the lease alone is out of range, what writes no lease may be written.
          const exit = yield* Effect.exit(a.run(transact(Effect.andThen(operation, Effect.fail("written")))))
          if (
            when.startsWith("at the very end") && Exit.isFailure(exit) &&
            exit.cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error === "written")
          ) continue
          isRefused(exit)
        }
        assert.deepStrictEqual(yield* stored(b), before)
        yield* readable(b)
      }))

    it.effect("cannot claim what it could claim, by whatever it judges", () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts
        yield* a.run(transact(Effect.asVoid(election.registerCandidate("a"))))
        const before = yield* stored(b)
        yield* setWall(a, millis)
        isRefused(yield* Effect.exit(a.run(transact(election.tryClaimLeadership("a")))))
        isRefused(yield* Effect.exit(a.run(transact(election.runElectionCycle("a")))))
        assert.deepStrictEqual(yield* stored(b), before)
      }))

    it.effect("may set an election up, configure it, and ask for a step-down: no record of these holds its time", () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts
        yield* lead(b, "b")
        yield* TestClock.adjust("1 second")
        yield* setWall(a, millis)
        yield* a.run(transact(election.initialize()))
        yield* a.run(transact(election.writeConfig(new ElectionConfig({}))))
        assert.strictEqual(Option.getOrThrow(yield* a.run(transact(election.requestStepDown))).leaderId, "b")
        yield* readable(b)
      }))

    it.effect("fails its campaigns, at once, and keeps nobody else from leading", () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts
        yield* setWall(a, millis)
        const campaigns = [
          yield* lead(a, "a"),
          yield* lead(a, "again", { again: true }),
          yield* Effect.forkDetach(Effect.scoped(a.run(election.campaign({ id: "campaign" }))))
        ]
        yield* TestClock.adjust("1 second")
        for (const campaign of campaigns) isRefused(campaign.pollUnsafe())
        yield* lead(b, "b")
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(tagsOf(b).filter((tag) => tag === "Elected" || tag === "Lost"), ["Elected"])
        yield* readable(b)
      }))

    it.effect("is told so while it follows, too", () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts
        yield* lead(b, "b")
        yield* TestClock.adjust("1 second")
        const following = yield* lead(a, "a", { again: true })
        yield* TestClock.adjust("1 second")
        yield* setWall(a, millis)
        yield* TestClock.adjust("1 minute")
        // At the very end, a heartbeat can still be recorded; it is the claim that cannot.
        if (!when.startsWith("at the very end")) isRefused(following.pollUnsafe())
        assert.isUndefined(reasonOf(b))
        yield* readable(b)
      }))

    it.effect("leads no longer than until the end of its belief, and says why", () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts
        const leading = yield* lead(a, "a")
        yield* TestClock.adjust("1 second")
        yield* lead(b, "b")
        yield* TestClock.adjust("10 seconds")
        yield* setWall(a, millis)
        yield* TestClock.adjust("9 seconds")
        assert.strictEqual(reasonOf(a), "clock-jumped")
        yield* TestClock.adjust("4 seconds")
        assert.isDefined(leading.pollUnsafe())
        assert.include(tagsOf(b), "Elected")
        yield* readable(b)
      }))

    it.effect("leads as a singleton once its clock is right", () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts
        yield* setWall(a, millis)
        yield* Effect.forkDetach(a.run(Effect.scoped(Layer.launch(election.singleton({ id: "a" }, Effect.never)))))
        yield* TestClock.adjust("1 minute")
        assert.notInclude(tagsOf(a), "Elected")
        a.wallOffset = 0
        yield* TestClock.adjust("15 seconds")
        assert.include(tagsOf(a), "Elected")
        yield* readable(b)
      }))
  })
}

describe("a wall clock that is out of range for a while", () => {
  it.effect("costs no more than the tenure: that it is set right looks like a jump", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts
      yield* lead(a, "a", { again: true })
      yield* TestClock.adjust("10 seconds")
      const { wallOffset } = a
      yield* setWall(a, -3_600_000)
      yield* TestClock.adjust("4 seconds")
      assert.include(tagsOf(a), "RenewalFailed")
      assert.isUndefined(reasonOf(a))
      a.wallOffset = wallOffset
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(reasonOf(a), "clock-jumped")
      assert.lengthOf(tagsOf(a).filter((tag) => tag === "Elected"), 2)
    }))
})

describe("a lease for which there is no time left", () => {
  it.effect("is refused: its end would be out of range", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts
      yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("30000 days"))))
      // In the year 2182 it would last until 2264.
      yield* setWall(a, 6_700_000_000_000)
      const leading = yield* lead(a, "a")
      yield* TestClock.adjust("1 second")
      isRefused(leading.pollUnsafe())
      yield* Fiber.await(leading)
      yield* readable(b)
    }))
})
