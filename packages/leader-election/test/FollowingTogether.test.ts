/** The elections that one process follows, whose looks and heartbeats are made together. */
import { type Subspace, Transaction } from "@effect-fdb/core"
import { Subspace as Subspaces } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, type ElectionEvent, LeaderElection } from "../src/index.ts"
import { eventsOf, transact } from "./support/candidates.ts"
import { type Host, makeHosts } from "./support/host.ts"

const subspaceOf = (i: number): Subspace.Subspace => Subspaces.fromTuple(["app", `${i}`])

const manyOf = (length: number, config?: ElectionConfig) =>
  Array.from({ length }, (_, i) => LeaderElection.make(subspaceOf(i), config === undefined ? {} : { config }))

/** Campaigns in all elections on a host; the candidate of each has the name of the host and its number as its id. */
const campaignInAll = (
  host: Host,
  name: string,
  elections: ReadonlyArray<LeaderElection.LeaderElection>,
  priority?: number
) =>
  Effect.forEach(
    elections,
    (election, i) =>
      Effect.forkDetach(
        host.run(
          election.withLeadership(
            priority === undefined ? { id: `${name}${i}` } : { id: `${name}${i}`, priority },
            () => Effect.never
          )
        ),
        { startImmediately: true }
      )
  )

/** One host that leads all elections, and one that follows them. */
const ledAndFollowed = Effect.fnUntraced(function*(count: number, config?: ElectionConfig) {
  yield* TestClock.adjust(0)
  const makeHost = yield* makeHosts()
  const [leader, follower, other] = [makeHost(), makeHost(), makeHost()]
  const elections = manyOf(count, config)
  const led = yield* campaignInAll(leader, "a", elections)
  yield* TestClock.adjust("10 seconds")
  const followed = yield* campaignInAll(follower, "b", elections)
  yield* TestClock.adjust("20 seconds")
  assert.strictEqual(eventsOf(follower, "Following").length, count)
  return { elections, follower, followed, leader, led, makeHost, other }
})

/** How long ago each of a host's candidates was last seen alive at most, in seconds, while time passes. */
const longestSilences = Effect.fnUntraced(function*(
  onlooker: Host,
  name: string,
  elections: ReadonlyArray<LeaderElection.LeaderElection>,
  seconds: number
) {
  const silences = elections.map(() => 0)
  for (let i = 0; i < seconds; i++) {
    yield* TestClock.adjust("1 second")
    const now = yield* Clock.currentTimeNanos
    for (const [i, election] of elections.entries()) {
      const candidates = yield* Effect.option(onlooker.run(transact(election.listCandidates)))
      const found = Option.getOrElse(candidates, () => []).find(({ processId }) => processId === `${name}${i}`)
      silences[i] = Math.max(silences[i]!, found === undefined ? Infinity : Number(now - found.lastHeartbeat) / 1e9)
    }
  }
  return silences
})

/** The longest pause between two looks, with its jitter, and what a sample comes late. */
const aCycle = 1.2 * 3.6 + 0.1

/** For so long a record may be left as it is, for it was written less than half a heartbeat before a look. */
const aRest = 1.5

const fast = new ElectionConfig({
  leaseDuration: Duration.seconds(2),
  heartbeatInterval: Duration.millis(500),
  candidateTimeout: Duration.seconds(4)
})

describe("elections that one process follows", () => {
  for (const count of [1, 2, 100, 300]) {
    it.effect(`are looked at together: ${count} of them`, () =>
      Effect.gen(function*() {
        const { elections, follower, other } = yield* ledAndFollowed(count)
        yield* follower.resetCounts
        yield* TestClock.adjust("60 seconds")
        const { commits, conflicts, readOnlyCommits, reads } = yield* follower.counts
        const groups = Math.ceil(count / 256)
        assert.isAtMost(readOnlyCommits, 30 * groups)
        assert.isAtMost(commits, 28 * groups)
        assert.isAtLeast(commits, 14)
        assert.isAtMost(reads, 5 * count * 30)
        assert.strictEqual(conflicts, 0)
        const silences = yield* longestSilences(other, "b", elections, count > 100 ? 1 : 6)
        for (const silence of silences) assert.isBelow(silence, aRest + aCycle)
        assert.strictEqual(eventsOf(follower, "Following").length, count)
      }))
  }

  it.effect("are looked at by a few, where they are led by several processes", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const makeHost = yield* makeHosts()
      const follower = makeHost()
      const elections = manyOf(60)
      for (let i = 0; i < 60; i += 5) {
        const leader = makeHost()
        for (const [j, election] of elections.slice(i, i + 5).entries()) {
          yield* Effect.forkDetach(leader.run(election.withLeadership({ id: `a${i + j}` }, () => Effect.never)))
        }
        yield* TestClock.adjust("330 millis")
      }
      yield* campaignInAll(follower, "b", elections)
      yield* TestClock.adjust("40 seconds")
      yield* follower.resetCounts
      yield* TestClock.adjust("60 seconds")
      const { commits, readOnlyCommits } = yield* follower.counts
      assert.isAtMost(commits, 150)
      assert.isAtMost(readOnlyCommits, 200)
    }))

  it.effect("with other heartbeats are looked at as often as each needs", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const makeHost = yield* makeHosts()
      const [leader, follower, other] = [makeHost(), makeHost(), makeHost()]
      const elections = manyOf(10).map((election, i) =>
        i < 5 ? election : LeaderElection.make(subspaceOf(i), { config: fast })
      )
      yield* campaignInAll(leader, "a", elections)
      yield* TestClock.adjust("10 seconds")
      yield* campaignInAll(follower, "b", elections)
      yield* TestClock.adjust("20 seconds")
      const silences = yield* longestSilences(other, "b", elections, 30)
      for (let i = 0; i < 10; i++) assert.isBelow(silences[i]!, i < 5 ? aRest + aCycle : 0.25 + 0.72 + 0.1)
    }))

  interface Disturbance {
    readonly disturb: (
      election: LeaderElection.LeaderElection
    ) => ReadonlyArray<Effect.Effect<unknown, unknown, Transaction>>
    /** Whether a follower watches what changes. */
    readonly isWatched: boolean
    readonly reacts: (follower: Host, fiber: Fiber.Fiber<unknown, unknown>) => boolean
  }

  const one = 17

  const tells = <Tag extends ElectionEvent["_tag"]>(
    host: Host,
    tag: Tag,
    is: (event: Extract<ElectionEvent, { _tag: Tag }>) => boolean
  ) => eventsOf(host, tag).some((event) => event.candidate === `b${one}` && is(event))

  const failsWith = (tag: string) => (_: Host, fiber: Fiber.Fiber<unknown, unknown>) => {
    const exit = fiber.pollUnsafe()
    return exit !== undefined && Exit.isFailure(exit) &&
      (Cause.squash(exit.cause) as { readonly _tag?: string })._tag === tag
  }

  const disturbances: Readonly<Record<string, Disturbance>> = {
    "is vacated": {
      disturb: (election) => [election.unregisterCandidate(`a${one}`)],
      isWatched: true,
      reacts: (follower) => tells(follower, "Elected", ({ cause }) => cause === "appointed")
    },
    "is led by another": {
      disturb: (election) => [election.registerCandidate("other", 9), election.tryClaimLeadership("other", 9)],
      isWatched: false,
      reacts: (follower) => tells(follower, "Following", ({ leader }) => leader === "other")
    },
    "is disabled": {
      disturb: (election) => [
        Effect.flatMap(
          election.readConfig,
          (config) => election.writeConfig(new ElectionConfig({ ...config, electionEnabled: false }))
        )
      ],
      isWatched: true,
      reacts: (follower) => tells(follower, "Following", ({ enabled }) => !enabled)
    },
    "has no configuration": {
      disturb: () => [Transaction.use((tx) => tx.clear(subspaceOf(one).pack(["config"])))],
      isWatched: true,
      reacts: failsWith("NotInitialized")
    },
    "has a corrupt leader": {
      disturb: () => [Transaction.use((tx) => tx.set(subspaceOf(one).pack(["leader"]), Uint8Array.of(255, 1)))],
      isWatched: false,
      reacts: failsWith("InvalidState")
    },
    "has a corrupt challenge": {
      disturb: () => [Transaction.use((tx) => tx.set(subspaceOf(one).pack(["challenge"]), Uint8Array.of(255, 1)))],
      isWatched: false,
      reacts: failsWith("InvalidState")
    },
    "has its candidate superseded": {
      disturb: (election) => [election.registerCandidate(`b${one}`, 0)],
      isWatched: false,
      reacts: failsWith("CandidateSuperseded")
    },
    "has its candidate evicted": {
      disturb: () => [
        Transaction.use((tx) => tx.clear(subspaceOf(one).subspace(["candidates"]).pack([`b${one}`])))
      ],
      isWatched: false,
      reacts: (follower) => tells(follower, "Registered", ({ again }) => again)
    }
  }

  for (const [what, { disturb, isWatched, reacts }] of Object.entries(disturbances)) {
    for (const watches of isWatched ? [true, false] : [false]) {
      it.effect(`are looked at in time when one ${what}, ${watches ? "which a watch tells" : "unnoticed by a watch"}`, () =>
        Effect.gen(function*() {
          yield* TestClock.adjust(0)
          const makeHost = yield* makeHosts()
          const [leader, follower, other] = [makeHost(), makeHost(), makeHost()]
          follower.watches = watches
          const elections = manyOf(24)
          yield* campaignInAll(leader, "a", elections)
          yield* TestClock.adjust("10 seconds")
          const followed = yield* campaignInAll(follower, "b", elections)
          yield* TestClock.adjust("30 seconds")
          leader.watches = false
          const told = follower.events.length
          yield* Effect.forEach(disturb(elections[one]!), (body) => other.run(transact(body)))
          yield* follower.resetCounts
          if (watches) {
            yield* TestClock.adjust("20 millis")
            assert.isTrue(reacts(follower, followed[one]!))
          }
          const silences = yield* longestSilences(other, "b", elections, 5)
          assert.isTrue(reacts(follower, followed[one]!))
          silences[one] = 0
          for (const silence of silences) assert.isBelow(silence, aRest + aCycle)
          // The heartbeat of all that it refuses, and at most what the one does alone after it.
          assert.isAtMost((yield* follower.counts).conflicts, 2)
          assert.isTrue(follower.events.slice(told).every(({ candidate }) => candidate === `b${one}`))
        }))
    }
  }

  it.effect("whose records were seen at different versions are looked at before they are shown together", () =>
    // The one that was seen later is due first in some of them, by chance.
    Effect.forEach(Array.from({ length: 20 }), () =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        const makeHost = yield* makeHosts()
        const [leader, follower, other] = [makeHost(), makeHost(), makeHost()]
        follower.watches = false
        const [first, second] = manyOf(2)
        yield* campaignInAll(leader, "a", [first!, second!])
        yield* TestClock.adjust("10 seconds")
        yield* campaignInAll(follower, "b", [first!])
        yield* TestClock.adjust("100 millis")
        // Between the versions of the two looks.
        yield* other.run(transact(first!.unregisterCandidate("b0")))
        yield* TestClock.adjust("100 millis")
        yield* campaignInAll(follower, "c", [second!])
        yield* TestClock.adjust("5 seconds")
        const registered = eventsOf(follower, "Registered").map(({ candidate, again }) => `${candidate} ${again}`)
        assert.deepStrictEqual(registered, ["b0 false", "c0 false", "b0 true"])
      }), { discard: true }))

  it.effect("are taken over one by one, at the instant at which the lease of each lapses", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const makeHost = yield* makeHosts()
      const [follower, other] = [makeHost(), makeHost()]
      const elections = manyOf(30)
      const dying = Array.from({ length: 5 }, makeHost)
      for (const [i, host] of dying.entries()) {
        yield* Effect.forkDetach(host.run(elections[i]!.withLeadership({ id: `a${i}` }, () => Effect.never)))
        yield* TestClock.adjust("370 millis")
      }
      yield* campaignInAll(makeHost(), "c", elections.slice(5))
      yield* TestClock.adjust("10 seconds")
      yield* campaignInAll(follower, "b", elections)
      yield* TestClock.adjust("30 seconds")
      for (const host of dying) host.connection = "hangs"
      const silences = yield* longestSilences(other, "b", elections, 15)
      const elected = follower.events.filter((event) => event._tag === "Elected")
      assert.strictEqual(elected.length, 5)
      for (const { cause, leaderless } of elected) {
        assert.strictEqual(cause, "lapsed")
        assert.strictEqual(Duration.toMillis(leaderless), 10_000)
      }
      for (const silence of silences) assert.isBelow(silence, aRest + aCycle)
    }))

  for (const latency of ["0 millis", "5 millis"] as const) {
    it.effect(`are all led within the lease when the process that led them dies, ${latency} from the database`, () =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        const makeHost = yield* makeHosts({ commit: latency, read: latency, readVersion: latency })
        const [leader, follower] = [makeHost(), makeHost()]
        const elections = manyOf(100)
        yield* campaignInAll(leader, "a", elections)
        yield* TestClock.adjust("10 seconds")
        yield* campaignInAll(follower, "b", elections)
        yield* TestClock.adjust("30 seconds")
        leader.connection = "hangs"
        // The last renewal, until it is seen; the lease; and a second.
        yield* TestClock.adjust(`${aCycle + 11} seconds`)
        const elected = eventsOf(follower, "Elected")
        assert.strictEqual(elected.length, 100)
        for (const { leaderless } of elected) assert.isAtMost(Duration.toMillis(leaderless), 10_200)
      }))
  }

  it.effect("are shown in time beside one whose record is written without end", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const makeHost = yield* makeHosts({ commit: "5 millis", read: "5 millis", readVersion: "5 millis" })
      const [leader, follower, other] = [makeHost(), makeHost(), makeHost()]
      const elections = manyOf(32)
      yield* campaignInAll(leader, "a", elections)
      yield* TestClock.adjust("10 seconds")
      yield* campaignInAll(follower, "b", elections)
      yield* TestClock.adjust("20 seconds")
      const record = subspaceOf(7).subspace(["candidates"]).pack(["b7"])
      const rewritten = transact(
        Transaction.use((tx) => Effect.flatMap(tx.get(record), (bytes) => tx.set(record, bytes!)))
      )
      const writer = yield* Effect.forkDetach(other.run(Effect.forever(Effect.ignore(rewritten))))
      yield* TestClock.adjust("30 seconds")
      // Not waited for: a commit of its own may need the clock.
      yield* Effect.forkDetach(Fiber.interrupt(writer))
      const listing = yield* Effect.forkDetach(
        Effect.forEach(elections, (election) => other.run(transact(election.listCandidates)))
      )
      yield* TestClock.adjust("2 seconds")
      const now = yield* Clock.currentTimeNanos
      for (const [i, candidates] of (yield* Fiber.join(listing)).entries()) {
        if (i === 7) continue
        const { lastHeartbeat } = candidates.find(({ processId }) => processId === `b${i}`)!
        assert.isBelow(Number(now - lastHeartbeat) / 1e9, 2 + aRest + aCycle, `${i}`)
      }
      assert.isTrue(eventsOf(follower, "Retried").length === 0)
    }))

  for (
    const connection of ["hangs", { failsWith: 1031 }, { failsWith: 1037 }, { failsWith: 1020 }, {
      commitsBut: 1021
    }] as const
  ) {
    it.effect(`are followed again after the database was away: ${JSON.stringify(connection)}`, () =>
      Effect.gen(function*() {
        const { elections, follower, other } = yield* ledAndFollowed(40)
        const told = follower.events.length
        follower.connection = connection
        yield* TestClock.adjust("9 seconds")
        const retried = eventsOf(follower, "Retried")
        if (connection === "hangs") {
          // Each is told so, and no more often than one that is alone.
          for (let i = 0; i < 40; i++) {
            const ofOne = retried.filter(({ candidate }) => candidate === `b${i}`).length
            assert.isTrue(ofOne >= 1 && ofOne <= 3, `${ofOne}`)
          }
        }
        follower.connection = "up"
        yield* TestClock.adjust("10 seconds")
        yield* follower.resetCounts
        const silences = yield* longestSilences(other, "b", elections, 20)
        for (const silence of silences) assert.isBelow(silence, aRest + aCycle)
        const { commits, readOnlyCommits } = yield* follower.counts
        assert.isAtMost(commits + readOnlyCommits, 60)
        assert.isTrue(follower.events.slice(told).every(({ _tag }) => _tag === "Retried"))
      }))
  }

  it.effect("are waited for while the database is away by one try at a time", () =>
    Effect.gen(function*() {
      const { follower } = yield* ledAndFollowed(100)
      yield* TestClock.adjust("20 seconds")
      follower.connection = { failsWith: 1031 }
      yield* follower.resetCounts
      yield* TestClock.adjust("5 seconds")
      assert.isAtMost((yield* follower.counts).readVersions, 40)
    }))

  it.effect("go on when others are interrupted, and the last one leaves no timer behind", () =>
    Effect.gen(function*() {
      const { elections, follower, followed, other } = yield* ledAndFollowed(20)
      for (const fiber of followed.slice(0, 19)) {
        yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust("1 second")
      }
      const [silence] = yield* longestSilences(other, "b1", [elections[19]!], 0)
      assert.strictEqual(silence, 0)
      const candidates = yield* other.run(transact(elections[19]!.listCandidates))
      const now = yield* Clock.currentTimeNanos
      const { lastHeartbeat } = candidates.find(({ processId }) => processId === "b19")!
      assert.isBelow(Number(now - lastHeartbeat) / 1e9, aRest + aCycle)
      yield* Fiber.interrupt(followed[19]!)
      yield* follower.resetCounts
      follower.looks = 0
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* follower.counts, { commits: 0, reads: 0 })
      assert.strictEqual(follower.looks, 0)
    }))
})
