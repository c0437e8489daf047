import { Subspace } from "@effect-fdb/core"
import { type Candidacy, LeaderElection } from "@effect-fdb/leader-election"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { election, makeProcess, mount, test } from "./support/requests.ts"

const lead = (candidacy: Candidacy.Candidacy) =>
  Effect.forkScoped(candidacy.withLeadership(() => Effect.never, { again: true }))

describe("/leader", () => {
  it.effect(
    "is 200 with the fencing token in the process that leads, and in no other",
    test(function*() {
      const [a, b] = [yield* makeProcess("a"), yield* makeProcess("b")]
      assert.strictEqual((yield* a.get("/leader")).status, 503)
      yield* lead(a.candidacy)
      yield* TestClock.adjust("1 second")
      yield* lead(b.candidacy)
      yield* TestClock.adjust("5 seconds")
      const led = yield* a.get("/leader")
      assert.strictEqual(led.status, 200)
      assert.strictEqual(led.headers.get("fencing-token"), "1")
      assert.deepStrictEqual(led.json, { election: "app/mailer", leads: true, id: "a", term: "1" })
      const follows = yield* b.get("/leader")
      assert.strictEqual(follows.status, 503)
      assert.isNull(follows.headers.get("fencing-token"))
      assert.isNull(follows.headers.get("location"))
      assert.deepStrictEqual(follows.json, { election: "app/mailer", leads: false, leader: { id: "a", term: "1" } })
    })
  )

  it.effect(
    "is 503 the moment the belief ends, whoever has noticed that",
    test(function*() {
      const a = yield* makeProcess("a")
      yield* lead(a.candidacy)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* a.get("/leader")).status, 200)
      // The wall clock jumps past the lease; nothing has run since.
      a.wall.ahead = 3_600_000
      assert.strictEqual((yield* a.get("/leader")).status, 503)
      assert.isNull((yield* a.get("/leader")).json.leader)
    })
  )

  it.effect(
    "answers by the belief when the answer is sent, not when it was asked",
    test(function*() {
      const a = yield* makeProcess("a")
      yield* lead(a.candidacy)
      yield* TestClock.adjust("1 second")
      const app = yield* mount({
        elections: [{ name: "app/mailer", subspace: election.subspace, candidacy: a.candidacy }]
      })
      assert.strictEqual((yield* app.get("/leader")).status, 200)
      const { resign } = Option.getOrThrow(yield* a.candidacy.leadership)
      // A middleware of the application that takes its time after the handler, in which the leadership ends.
      const late = yield* mount({
        elections: [{ name: "app/mailer", subspace: election.subspace, candidacy: a.candidacy }]
      }, (response) => Effect.as(resign, response))
      assert.strictEqual((yield* late.get("/leader")).status, 503)
    })
  )

  it.effect(
    "is 503 with the work that a lost leadership leaves behind, and so is /follower",
    test(function*() {
      const ended = Latch.makeUnsafe()
      const a = yield* makeProcess("a")
      yield* Effect.forkScoped(
        a.candidacy.withLeadership(() => Effect.ensuring(Effect.never, ended.await), { again: true })
      )
      yield* TestClock.adjust("1 second")
      yield* Option.getOrThrow(yield* a.candidacy.leadership).resign
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* a.get("/leader")).status, 503)
      assert.strictEqual((yield* a.get("/follower")).status, 503)
      yield* ended.open
    })
  )

  it.effect(
    "tells the slot of a holder of a slot",
    test(function*() {
      const slots = LeaderElection.slots(Subspace.fromTuple(["app", "importers"]), 2)
      const candidacy = yield* slots.candidacy({ id: "a" })
      const { get } = yield* mount({ elections: [{ name: "importers", subspace: slots.subspace, candidacy }] })
      yield* Effect.forkScoped(candidacy.withLeadership(() => Effect.never))
      yield* TestClock.adjust("1 second")
      const { headers, json, status } = yield* get("/leader")
      assert.strictEqual(status, 200)
      assert.include([0, 1], json.slot)
      assert.strictEqual(headers.get("fencing-slot"), String(json.slot))
      assert.lengthOf((yield* get("/status")).json.slots, 2)
    })
  )
})

describe("/follower", () => {
  it.effect(
    "is 200 in a candidate that does not lead, and in neither a leader nor an observer",
    test(function*() {
      const [a, b] = [yield* makeProcess("a"), yield* makeProcess("b")]
      const observer = yield* mount({ elections: [{ name: "app/mailer", subspace: election.subspace }] })
      assert.strictEqual((yield* a.get("/follower")).status, 503)
      yield* lead(a.candidacy)
      yield* TestClock.adjust("1 second")
      yield* lead(b.candidacy)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* a.get("/follower")).status, 503)
      assert.deepStrictEqual((yield* b.get("/follower")).json, {
        election: "app/mailer",
        follows: true,
        leader: { id: "a", term: "1" }
      })
      assert.strictEqual((yield* observer.get("/follower")).status, 503)
      assert.strictEqual((yield* observer.get("/leader")).status, 503)
    })
  )
})

describe("/live and /ready", () => {
  it.effect(
    "follow the health of the candidate; /ready?leader follows its leadership",
    test(function*() {
      const a = yield* makeProcess("a")
      assert.strictEqual((yield* a.get("/live")).status, 200)
      assert.strictEqual((yield* a.get("/ready")).status, 503)
      assert.strictEqual((yield* a.get("/ready?leader")).status, 503)
      const led = yield* lead(a.candidacy)
      yield* TestClock.adjust("5 seconds")
      for (const path of ["/live", "/ready", "/ready?leader"]) {
        assert.strictEqual((yield* a.get(path)).status, 200, path)
      }
      yield* Fiber.interrupt(led)
      assert.strictEqual((yield* a.get("/ready")).status, 503)
    })
  )
})

describe("the paths", () => {
  it.effect(
    "answer what the command prints",
    test(function*() {
      const a = yield* makeProcess("a")
      assert.strictEqual((yield* a.get("/status")).status, 404)
      yield* lead(a.candidacy)
      yield* TestClock.adjust("5 seconds")
      const { json } = yield* a.get("/status")
      assert.deepInclude(json, { election: "app/mailer", lastTerm: "1", challenge: null })
      assert.deepInclude(json.leader, { id: "a", term: "1", leaseMillis: 10_000 })
      assert.deepStrictEqual((yield* a.get("/candidates")).json, json.candidates)
      assert.deepStrictEqual((yield* a.get("/history?limit=1")).json.map(({ leader }: any) => leader), ["a"])
      for (const limit of ["0", "101", "x", "1.5", ""]) {
        assert.strictEqual((yield* a.get(`/history?limit=${limit}`)).status, 400, limit)
      }
      assert.include((yield* a.get("/metrics")).json, "fdb_election_leading{election=\"app/mailer\",candidate=\"a\"} 1")
    })
  )

  it.effect(
    "have the methods GET, HEAD and OPTIONS, and refuse any other with those allowed",
    test(function*() {
      const a = yield* makeProcess("a")
      const paths = [
        "/leader",
        "/follower",
        "/live",
        "/ready",
        "/status",
        "/history",
        "/candidates",
        "/events",
        "/metrics"
      ]
      for (const path of paths) {
        for (const method of ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"]) {
          const { headers, status } = yield* a.get(path, { method })
          assert.deepStrictEqual([status, headers.get("allow")], [405, "GET, HEAD, OPTIONS"], `${method} ${path}`)
        }
        const { headers, status } = yield* a.get(path, { method: "OPTIONS" })
        assert.deepStrictEqual([status, headers.get("allow")], [204, "GET, HEAD, OPTIONS"])
      }
      yield* lead(a.candidacy)
      yield* TestClock.adjust("1 second")
      const head = yield* a.get("/leader", { method: "HEAD" })
      assert.deepStrictEqual([head.status, head.headers.get("fencing-token"), head.json], [200, "1", ""])
    })
  )

  it.effect(
    "are not to be kept by caches",
    test(function*() {
      const a = yield* makeProcess("a")
      for (const path of ["/leader", "/status", "/live"]) {
        assert.strictEqual((yield* a.get(path)).headers.get("cache-control"), "no-store")
      }
    })
  )

  it.effect(
    "of several elections take the name of one, and never guess",
    test(function*() {
      const a = yield* makeProcess("a")
      const other = Subspace.fromTuple(["app", "other"])
      const { get } = yield* mount({
        elections: [
          { name: "app/mailer", subspace: election.subspace, candidacy: a.candidacy },
          { name: "app/other", subspace: other }
        ]
      })
      yield* lead(a.candidacy)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* get("/leader")).status, 400)
      assert.strictEqual((yield* get("/leader?election=app/mailer")).status, 200)
      assert.strictEqual((yield* get("/leader?election=app%2Fmailer")).status, 200)
      assert.strictEqual((yield* get("/leader?election=app/other")).status, 503)
      assert.strictEqual((yield* get("/leader?election=app/x")).status, 404)
      assert.deepStrictEqual((yield* get("/status")).json.map(({ election }: any) => election), [
        "app/mailer",
        "app/other"
      ])
    })
  )

  it.effect(
    "stand under the prefix of the application",
    test(function*() {
      const a = yield* makeProcess("a", { prefix: "/election" })
      assert.strictEqual((yield* a.get("/election/leader")).status, 503)
      assert.strictEqual((yield* a.get("/leader")).status, 404)
    })
  )
})

describe("/step-down", () => {
  const post = (authorization?: string): RequestInit => ({
    method: "POST",
    ...(authorization === undefined ? {} : { headers: { authorization } })
  })

  it.effect(
    "does not exist without a token",
    test(function*() {
      for (const more of [{}, { stepDownToken: Redacted.make("") }]) {
        const a = yield* makeProcess("a", more)
        assert.strictEqual((yield* a.get("/step-down", post("Bearer "))).status, 404)
      }
    })
  )

  it.effect(
    "asks the leader to step down for those who have the token, and for nobody else",
    test(function*() {
      const a = yield* makeProcess("a", { stepDownToken: Redacted.make("secret") })
      yield* lead(a.candidacy)
      yield* TestClock.adjust("1 second")
      for (const given of [undefined, "", "Bearer", "Bearer secre", "Bearer secret2", "Basic secret", "secret"]) {
        const { headers, status } = yield* a.get("/step-down", post(given))
        assert.deepStrictEqual([status, headers.get("www-authenticate")], [401, "Bearer"], given)
      }
      assert.strictEqual((yield* a.get("/step-down")).status, 405)
      assert.strictEqual((yield* a.get("/leader")).status, 200)
      const { json, status } = yield* a.get("/step-down", post("Bearer secret"))
      assert.deepStrictEqual([status, json], [202, { election: "app/mailer", asked: { id: "a", term: "1" } }])
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* a.get("/leader")).status, 503)
    })
  )
})
