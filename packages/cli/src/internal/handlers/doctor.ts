/** Looks at an election, its store and its host. */
import { type FdbError, Subspace, Testimony, Transaction, Witness } from "@effect-fdb/core"
import type { InvalidState, LeaderElection } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { CommandEnded, type Failure } from "../../Failure.ts"
import { printJson, printLines, type RootFlags } from "../commands/root.ts"
import * as Election from "../doctor/election.ts"
import { error, exitCode, type Finding, info, ok, sorted, toLines } from "../doctor/findings.ts"
import { Host, ofInit, ofStore } from "../doctor/host.ts"
import * as Parts from "../parts.ts"
import { missing, type SelectedElection, transact } from "../selectedElection.ts"
import { describe, Stores } from "../stores.ts"
import { select } from "./openElection.ts"

/** Of how many candidates of an election the records are read. */
const mostCandidates = 1000

/** Of how many slots and shards of an election the records are read. */
const mostParts = 128

const readCandidates = (election: LeaderElection.LeaderElection) =>
  Effect.gen(function*() {
    const tx = yield* Transaction
    const records = election.subspace.subspace(["candidates"])
    const pairs = yield* tx.snapshot.getRange(records.range(), { limit: mostCandidates })
    const ids = pairs.flatMap(({ key }) => Result.getOrElse(records.unpack(key), () => []))
      .filter((id): id is string => typeof id === "string")
    const found = yield* Effect.forEach(ids, election.getCandidate, { concurrency: "unbounded" })
    return found.flatMap((candidate) => Option.toArray(candidate))
  })

/** The records of a part; `undefined` if it does not exist. */
const look = ({ election }: Parts.Part) =>
  transact(Effect.all({
    config: election.readConfig,
    leader: Effect.map(election.getLeaderRaw, Option.getOrUndefined),
    challenge: Effect.map(election.readChallenge, Option.getOrUndefined),
    candidates: readCandidates(election),
    now: Clock.currentTimeNanos
  })).pipe(
    Effect.map((look): Election.Look => look),
    Effect.catchTag("NotInitialized", () => Effect.undefined)
  )

const isLook = (look: unknown): look is Election.Look => typeof look === "object" && look !== null && "config" in look

const damaged = (error_: InvalidState): Finding =>
  error(
    "records",
    error_.message,
    "upgrade this command if they are of a newer version; otherwise restore or remove that record"
  )

const unanswered = (store: string, { message }: FdbError | Failure): Finding =>
  error("store", `${store}: ${message}`, "check that it is up, and the flags of the store")

/** The longest of a few transactions of each kind. What they write they remove. */
const measure = Effect.gen(function*() {
  const key = Subspace.fromTuple(["fdb-election doctor"]).prefix
  const timed = <A, E>(body: Effect.Effect<A, E, Transaction>) =>
    Effect.map(Effect.timed(transact(body)), ([took]) => took)
  const reads: Array<Duration.Duration> = []
  const commits: Array<Duration.Duration> = []
  for (let i = 0; i < 3; i++) {
    commits.push(yield* timed(Effect.flatMap(Transaction, (tx) => tx.set(key, Uint8Array.of(i)))))
    reads.push(yield* timed(Effect.flatMap(Transaction, (tx) => tx.get(key))))
  }
  yield* transact(Effect.flatMap(Transaction, (tx) => tx.clear(key)))
  const longest = (spans: ReadonlyArray<Duration.Duration>) => spans.reduce((a, b) => Duration.max(a, b))
  return { commit: longest(commits), read: longest(reads) }
})

/** How long a look at leaders may take, whatever their heartbeats. */
const mostSpan = Duration.seconds(15)

const examine = Effect.fnUntraced(function*(selected: SelectedElection) {
  const store = describe(selected.store)
  const parts = (yield* Parts.all(selected)).map((part) => ({
    ...part,
    title: part.title === "election" ? selected.name.text : `${part.title} of ${selected.name.text}`
  }))
  const first = yield* Effect.forEach(parts, (part) => Effect.result(look(part)), { concurrency: 8 })
  const findings: Array<Finding> = []
  const standing = parts.flatMap((part, i) => {
    const seen = first[i]!
    if (Result.isSuccess(seen)) return isLook(seen.success) ? [{ part, first: seen.success }] : []
    if (seen.failure._tag === "InvalidState") findings.push(damaged(seen.failure))
    else findings.push(unanswered(store, seen.failure))
    return []
  })
  if (standing.length === 0 && findings.length === 0) {
    return [error("election", missing(selected).message, "`fdb-election init` creates it, and so does the first `run`")]
  }
  const begun = yield* Clock.monotonicTimeNanos
  const latency = yield* measure
  findings.push(ok("store", `${store} answers`))
  const shortest = standing.map(({ first }) =>
    first.config
  ).toSorted((a, b) => Duration.isLessThan(a.leaseDuration, b.leaseDuration) ? -1 : 1)[0]
  if (shortest !== undefined) {
    findings.push(Election.ofLatency(latency, shortest))
  }
  const shown = standing.slice(0, mostParts)
  if (shown.length < standing.length) {
    findings.push(info("election", `only the first ${mostParts} of ${standing.length} slots and shards were looked at`))
  }
  const longest = shown.map(({ first }) =>
    first.leader === undefined ? Duration.zero : Election.observationTime(first.config)
  )
    .reduce((a, b) =>
      Duration.max(a, b), Duration.seconds(1))
  yield* Effect.sleep(Duration.min(longest, mostSpan))
  const span = Duration.nanos((yield* Clock.monotonicTimeNanos) - begun)
  const witness = Option.getOrUndefined(yield* Effect.serviceOption(Witness))
  for (const { first, part } of shown) {
    const last = yield* Effect.result(look(part))
    if (Result.isFailure(last)) {
      findings.push(last.failure._tag === "InvalidState" ? damaged(last.failure) : unanswered(store, last.failure))
    } else if (isLook(last.success)) {
      const { leader } = last.success
      const witnesses = leader === undefined ? undefined : witness?.witnesses(
        Testimony.make(Testimony.ofSubspace(part.election.subspace), leader.leaderId, leader.registration)
      )
      findings.push(...Election.ofElection({ title: part.title, first, last: last.success, span, witnesses }))
    }
  }
  const { laggingReaders } = yield* Stores
  for (const { commitsBehind, pid, state } of yield* laggingReaders(selected.store)) {
    findings.push({
      severity: "warning",
      check: "readers",
      found: `process ${pid} (${state}) reads a state ${commitsBehind} commits old: the store grows with each commit`,
      remedy: "continue (SIGCONT) or end it"
    })
  }
  return findings
})

/** Everything that is found; never fails. */
const findAll = Effect.fnUntraced(function*(selected: SelectedElection, version: string) {
  const host = Context.get(yield* Effect.context<never>(), Host)
  const findings: Array<Finding> = [
    ok("versions", `fdb-election ${version}, Node ${process.version}; records of version 1`),
    ...ofInit(host),
    ...ofStore(host, selected.store)
  ]
  const { exists, open } = yield* Stores
  const found = exists(selected.store)
    ? examine(selected).pipe(
      Effect.provide(open(selected.store)),
      Effect.catch((failed) =>
        Effect.succeed([
          failed._tag === "InvalidState" ? damaged(failed) : unanswered(describe(selected.store), failed)
        ])
      )
    )
    : Effect.succeed([
      error("store", `${describe(selected.store)} does not exist`, "check --path, or run `fdb-election init`")
    ])
  return sorted([...findings, ...(yield* found)])
})

export const doctor = Effect.fnUntraced(function*(flags: RootFlags, json: boolean, version: string) {
  const selected = yield* select(flags)
  const findings = yield* findAll(selected, version)
  const store = describe(selected.store)
  yield* json
    ? printJson({ election: selected.name.text, store, worst: findings[0]!.severity, findings })
    : printLines(toLines(`${selected.name.text} in ${store}`, findings))
  const status = exitCode(findings)
  if (status !== 0) return yield* new CommandEnded({ status })
})
