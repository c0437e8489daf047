import { Database, FdbError, MemoryDatabase, Subspace } from "@effect-fdb/core"
import {
  CandidateInfo,
  CandidateSuperseded,
  ElectionConfig,
  ElectionDisabled,
  ElectionResult,
  InvalidCandidate,
  InvalidConfig,
  InvalidState,
  LeaderElection,
  LeadershipLost,
  LeaderState,
  NotInitialized,
  ProcessNotFound,
  UnregisteredCandidate
} from "@effect-fdb/leader-election"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, References } from "effect"
import { readFileSync } from "node:fs"

const page = readFileSync(new URL("../../docs/rust-api.md", import.meta.url), "utf8")

/** The first name in code of the first and of the second column of each row of the page's tables. */
const rows = page.split("\n")
  .filter((line) => line.startsWith("|") && !line.startsWith("| -"))
  .map((line) => line.split("|").map((cell) => /`([^`]+)`/.exec(cell)?.[1]))
  .map(([, rust, here]) => ({ rust, here }))

/** What the recipe of the Rust crate offers, version 0.11. */
const rust = [
  "LeaderElection::new",
  "initialize",
  "initialize_with_config",
  "write_config",
  "read_config",
  "register_candidate",
  "heartbeat_candidate",
  "unregister_candidate",
  "get_candidate",
  "list_candidates",
  "evict_dead_candidates",
  "try_claim_leadership",
  "refresh_lease",
  "resign_leadership",
  "is_leader",
  "get_leader",
  "get_leader_raw",
  "run_election_cycle",
  "ElectionConfig",
  "ElectionConfig::default",
  "ElectionConfig::with_lease_duration",
  ".lease_duration",
  ".heartbeat_interval",
  ".candidate_timeout",
  ".election_enabled",
  ".allow_preemption",
  "LeaderState",
  ".leader_id",
  ".ballot",
  ".lease_expiry_nanos",
  ".is_lease_valid",
  ".remaining_lease",
  "CandidateInfo",
  ".process_id",
  ".priority",
  ".last_heartbeat_nanos",
  ".versionstamp",
  ".is_alive",
  "ElectionResult::Leader",
  "ElectionResult::Follower",
  ".is_leader",
  ".leader_state",
  "ElectionDisabled",
  "ProcessNotFound",
  "NotInitialized",
  "InvalidState",
  "Fdb",
  "PackError",
  "UnregisteredCandidate"
]

/** Every name of ours on the page, used as the type checker lets it be used. */
const ours = Effect.gen(function*() {
  const election = LeaderElection.make(Subspace.fromTuple(["from", "rust"]))
  const config = yield* Database.transact(election.initialize(new ElectionConfig({})))
  yield* Database.transact(election.writeConfig(yield* Database.transact(election.readConfig)))
  const registration = yield* Effect.flatten(Database.transact(election.registerCandidate("a", 1)))
  yield* Database.transact(election.heartbeatCandidate("a", 1, { registration }))
  const candidate = yield* Effect.flatMap(Database.transact(election.getCandidate("a")), Effect.fromOption)
  assert.deepStrictEqual(yield* Database.transact(election.listCandidates), [candidate])
  assert.strictEqual(yield* Database.transact(election.evictDeadCandidates), 0)
  const claimed = yield* Database.transact(election.tryClaimLeadership("a", 1, { registration }))
  const state = yield* Effect.fromOption(claimed)
  const renewed = yield* Effect.flatMap(Database.transact(election.refreshLease(state)), Effect.fromOption)
  assert.strictEqual(renewed.term, state.term)
  assert.strictEqual(renewed.ballot, state.ballot + 1n)
  assert.isTrue(yield* Database.transact(election.isLeader("a", { registration })))
  assert.deepStrictEqual(yield* Database.transact(election.getLeader), Option.some(renewed))
  const result = yield* Database.transact(election.runElectionCycle("a", 1, { registration }))
  assert.isTrue(ElectionResult.isLeader(result))
  assert.strictEqual(Option.getOrThrow(ElectionResult.leaderState(result)).term, state.term)
  assert.isTrue(Option.isNone(yield* Database.transact(election.readChallenge)))
  assert.isTrue(Option.isSome(yield* Database.transact(election.requestStepDown)))
  assert.isTrue(Option.isNone(yield* Database.transact(election.refreshLease(renewed))))
  assert.isTrue(yield* Database.transact(election.resignLeadership(state)))
  assert.isTrue(Option.isNone(yield* Database.transact(election.getLeaderRaw)))
  yield* Database.transact(election.unregisterCandidate("a", { registration }))
  const [tenure] = yield* Database.transact(election.readHistory(1))
  assert.strictEqual(tenure?.reason, "stepped-down")
  return yield* election.withLeadership({ id: "b" }, (leadership) =>
    Effect.as(
      leadership.guard(Effect.void),
      {
        "LeaderElection.make": LeaderElection.make,
        ...prefixed("election", election),
        ...prefixed("leadership", leadership),
        ...prefixed("ElectionResult", ElectionResult),
        ...prefixed("config", config),
        ...prefixed("state", state),
        "state.isLeaseValid": state.isLeaseValid(0n),
        "state.remainingLease": state.remainingLease(0n),
        ...prefixed("candidate", candidate),
        "candidate.isAlive": candidate.isAlive(0n, Duration.seconds(1)),
        "ElectionConfig.withLeaseDuration": ElectionConfig.withLeaseDuration("6 seconds"),
        ElectionConfig,
        LeaderState,
        CandidateInfo,
        ElectionDisabled,
        ProcessNotFound,
        NotInitialized,
        InvalidState,
        FdbError,
        InvalidCandidate,
        UnregisteredCandidate,
        InvalidConfig,
        CandidateSuperseded,
        LeadershipLost
      }
    ))
})

const prefixed = (prefix: string, object: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [`${prefix}.${name}`, value]))

describe("docs/rust-api.md", () => {
  it("has a row for every name of the Rust recipe", () => {
    const named = new Set(rows.map(({ rust }) => rust))
    assert.deepStrictEqual(rust.filter((name) => !named.has(name)), [])
  })

  it.effect("gives only names that exist, and do what their types say", () =>
    Effect.gen(function*() {
      const names = new Set(Object.keys(yield* ours))
      const given = rows.flatMap(({ here }) => here === undefined ? [] : [here])
      assert.isTrue(given.length > 60)
      assert.deepStrictEqual(given.filter((name) => !names.has(name)), [])
    }).pipe(Effect.provide(MemoryDatabase.layer), Effect.provideService(References.MinimumLogLevel, "None")))
})
