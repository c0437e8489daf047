/**
 * The protocol broken on purpose, in ways in which it could be broken by mistake: each must be noticed by a checker.
 *
 * There are no seams for it in the library: a mutation is a change of the text of a built file, made while a child process
 * loads it. A text that is not found exactly once is an error, so that a mutation cannot silently change nothing.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Checkers from "./Checkers.ts"
import { plural } from "./internal/plural.ts"
import type * as Profile from "./Profile.ts"

/** A change of one built file. */
export interface Patch {
  readonly package: "@effect-fdb/core" | "@effect-fdb/leader-election"
  /** Below `dist`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** See the module. */
interface Mutant {
  readonly name: string
  /** What is wrong then, in one line. */
  readonly wrong: string
  readonly patches: ReadonlyArray<Patch>
  /** The checker that must notice. */
  readonly noticedBy: string
  readonly profile: Profile.Name
  /** Within so many seeds, from zero on. */
  readonly within: number
}

const election = (file: string, find: string, replace: string): Patch => ({
  package: "@effect-fdb/leader-election",
  file: `internal/${file}.js`,
  find,
  replace
})

/** How long each history is, in simulated seconds. */
const duration = 240

/** All of them; and for every checker one that it alone notices. */
export const all: ReadonlyArray<Mutant> = [
  {
    name: "takeover-by-wall-clock",
    wrong: "a follower takes over when its own wall clock has passed the stored expiry",
    patches: [
      election(
        "follower/look",
        "return Protocol.step(memory, view,",
        "return Protocol.step(memory, { ...view, wall: clock.currentTimeNanosUnsafe() },"
      ),
      election(
        "follower/look",
        "({ lifecycle, registration: { identity,",
        "({ clock, lifecycle, registration: { identity,"
      ),
      election("protocol/protocol", "now >= lapsesAt(observation);", "view.wall >= view.lease.expiry;"),
      election(
        "protocol/protocol",
        "memory.observation === undefined ? undefined : lapsesAt(memory.observation)",
        "undefined"
      )
    ],
    noticedBy: "beliefs",
    profile: "clocks",
    within: 2
  },
  {
    name: "lease-from-the-commit",
    wrong: "a leader counts its lease from the answer of the renewal, not from its start",
    patches: [
      election(
        "leader/renewalLoop",
        "this.tenure.renewed(attempt, lease, version);",
        "this.tenure.renewed({ monotonic: now(), " +
          "wall: this.tenure.candidate.clock.currentTimeNanosUnsafe() }, lease, version);"
      )
    ],
    noticedBy: "beliefs",
    profile: "network",
    within: 4
  },
  {
    name: "belief-extended",
    wrong: "a renewal that fails extends the belief",
    patches: [
      election(
        "leader/renewalLoop",
        "contact.failure();",
        "contact.failure(); const span = this.tenure.lease.duration; const { clock, marginOf } = this.tenure.candidate; " +
          "this.tenure.belief.confirm({ monotonic: clock.monotonicTimeNanosUnsafe(), " +
          "wall: clock.currentTimeNanosUnsafe() }, span, marginOf(span));"
      )
    ],
    noticedBy: "deadline",
    profile: "network",
    within: 2
  },
  {
    name: "wall-clock-not-watched",
    wrong: "a leader believes its monotonic clock only, which stands still while its host is suspended",
    patches: [
      election("leader/belief", "if (wall >= this.until.wall)", "if (false)"),
      election("leader/belief", "return atLeastZero(least(monotonic, wall));", "return atLeastZero(monotonic);")
    ],
    noticedBy: "deadline",
    profile: "clocks",
    within: 6
  },
  {
    name: "claim-on-a-snapshot",
    wrong: "a claim does not conflict with what its decision rests on",
    patches: [election("storage/writes", "yield* addDecisionConflicts(tx, keys, claimant.id);", "")],
    noticedBy: "growth",
    profile: "late",
    within: 3
  },
  {
    name: "renewal-without-conflict",
    wrong: "a renewal in one round trip does not conflict with what it takes for granted",
    patches: [
      election(
        "storage/writes",
        "addDecisionConflicts(tx, keys, leader.id).pipe(",
        "Effect.void.pipe("
      )
    ],
    noticedBy: "growth",
    profile: "late",
    within: 8
  },
  {
    name: "resignation-without-conflict",
    wrong: "a resignation in one round trip does not conflict with what it takes for granted",
    patches: [
      election(
        "storage/writes",
        "yield* addDecisionConflicts(tx, keys, leader.id);\n    const { id",
        "const { id"
      )
    ],
    noticedBy: "replay",
    profile: "late",
    within: 8
  },
  {
    name: "ballot-back-on-resignation",
    wrong: "a resignation takes the ballot back to zero",
    patches: [
      election(
        "storage/writes",
        "write(tx, keys.lease, Codec.encodeLease({ ...view.lease, expiry: now }))",
        "write(tx, keys.lease, Codec.encodeLease({ ...view.lease, ballot: 0n, expiry: now }))"
      )
    ],
    noticedBy: "growth",
    profile: "calm",
    within: 2
  },
  {
    name: "full-renewal-keeps-the-ballot",
    wrong: "a renewal on the full path does not count",
    patches: [
      election(
        "protocol/protocol",
        `_tag: "Renew", ballot: view.lease.ballot + 1n`,
        `_tag: "Renew", ballot: view.lease.ballot`
      )
    ],
    noticedBy: "growth",
    profile: "network",
    within: 2
  },
  {
    name: "guard-on-a-snapshot",
    wrong: "the guard reads S(\"leader\") without conflict",
    patches: [
      election("leader/guard", "tx.get(keys.leader)", "tx.snapshot.get(keys.leader)")
    ],
    noticedBy: "guarded",
    profile: "late",
    within: 2
  },
  {
    name: "guard-reads-the-lease",
    wrong: "the guard conflicts with S(\"lease\"), which every renewal writes",
    patches: [election(
      "leader/guard",
      "tx.get(keys.leader)",
      "Effect.andThen(tx.get(keys.lease), tx.get(keys.leader))"
    )],
    noticedBy: "undisturbed",
    profile: "network",
    within: 4
  },
  {
    name: "unknown-commit-retried",
    wrong: "a commit of unknown outcome is retried though the caller has not said that it is idempotent",
    patches: [{
      package: "@effect-fdb/core",
      file: "internal/retry.js",
      find: "error.retryable && (!error.maybeCommitted || options.idempotent === true)",
      replace: "error.retryable"
    }],
    noticedBy: "counter",
    profile: "network",
    within: 16
  },
  {
    name: "rounded-token",
    wrong: "the fencing token that the work is given is rounded down",
    patches: [
      election(
        "leader/withLeadership",
        "term: tenure.term,\n    state:",
        "term: tenure.term - tenure.term % 64n,\n    state:"
      )
    ],
    noticedBy: "sink",
    profile: "deployments",
    within: 3
  },
  {
    name: "renewal-without-identity",
    wrong: "a renewal does not ask whose tenure it is",
    patches: [
      election(
        "protocol/protocol",
        "if (!isCurrent(view.leader, tenure))\n        return { _tag: \"Refuse\", because: \"replaced\" }",
        "if (false) return { _tag: \"Refuse\", because: \"replaced\" }"
      ),
      election(
        "protocol/protocol",
        "const registered = registrationStatus(view, tenure);",
        "const registered = \"registered\";"
      )
    ],
    noticedBy: "registered",
    profile: "operators",
    within: 4
  },
  {
    name: "anothers-tenure-ended",
    wrong: "a resignation ends whatever tenure stands",
    patches: [
      election(
        "storage/writes",
        "if (!Protocol.isCurrent(view.leader, tenure)) {",
        "if (view.leader._tag === \"Vacant\") {"
      )
    ],
    noticedBy: "replay",
    profile: "pauses",
    within: 2
  },
  {
    name: "preference-ignored",
    wrong: "a vacancy is not left to the preferred successor",
    patches: [election("protocol/protocol", "preferred === undefined || sameIdentity(preferred, me)", "true")],
    noticedBy: "replay",
    profile: "deployments",
    within: 2
  },
  {
    name: "renewal-despite-challenge",
    wrong: "a leader that has been challenged goes on renewing",
    patches: [
      election(
        "protocol/protocol",
        "const because = stepDownReason(view);",
        "const because = undefined;"
      )
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 2
  },
  {
    name: "claim-while-disabled",
    wrong: "followers do not ask whether the election is enabled",
    patches: [
      election("protocol/protocol", "if (!view.enabled)\n        return { _tag: \"Follow\", until: undefined };", ""),
      election("follower/look", "if (!view.enabled || lifecycle.isClosing)", "if (lifecycle.isClosing)")
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 4
  },
  {
    name: "unregistered-goes-on",
    wrong: "a candidate that was evicted goes on as if it were registered",
    patches: [election("protocol/protocol", "case \"evicted\":\n            return { _tag: \"Register\" };", "")],
    noticedBy: "replay",
    profile: "operators",
    within: 3
  },
  {
    name: "low-challenge-obeyed",
    wrong: "a challenge of a lower priority is obeyed",
    patches: [election(
      "protocol/protocol",
      "return allowPreemption && challenge.priority > leader.priority ? \"preempted\" : undefined;",
      "return allowPreemption ? \"preempted\" : undefined;"
    )],
    noticedBy: "replay",
    profile: "operators",
    within: 4
  },
  {
    name: "beat-without-conflict",
    wrong: "a heartbeat does not conflict with its own record, and brings back what was evicted",
    patches: [election("candidate/registration", "tx.addReadConflictKey(keys.candidate(me.id))", "Effect.void")],
    noticedBy: "replay",
    profile: "operators",
    within: 4
  },
  {
    name: "leader-evicted",
    wrong: "eviction spares nobody",
    patches: [
      election(
        "operations",
        " && !isLeader(candidate)",
        ""
      )
    ],
    noticedBy: "registered",
    profile: "operators",
    within: 4
  },
  {
    name: "evicted-too-soon",
    wrong: "a leader evicts who has not shown itself for a tenth of a candidate timeout",
    patches: [election("protocol/protocol", "timeoutsUntilEviction * candidateTimeout;", "candidateTimeout / 10n;")],
    noticedBy: "replay",
    profile: "pauses",
    within: 4
  },
  {
    name: "evicted-by-a-former-leader",
    wrong: "a leader that has been replaced goes on evicting, and who leads is not spared",
    patches: [election("leader/eviction", " || !Protocol.isCurrent(leader, tenure)", "")],
    noticedBy: "replay",
    profile: "outages",
    within: 50
  },
  {
    name: "challenge-without-delay",
    wrong: "a challenger does not wait after preemptions that have failed",
    patches: [election("protocol/protocol", "failed === 0 ? 0n : lease << BigInt(", "0n && lease << BigInt(")],
    noticedBy: "replay",
    profile: "deployments",
    within: 20
  },
  {
    name: "late-interruption",
    wrong: "the work is interrupted a second after the leadership was lost",
    patches: [
      election("leader/end", "this.interruptWork(loss);", ""),
      election(
        "leader/end",
        "Deferred.doneUnsafe(this.losing, Effect.sync(error));",
        "Deferred.doneUnsafe(this.losing, Effect.sync(error)); " +
          "Effect.runForkWith(context)(Effect.andThen(Effect.sleep(\"1 second\"), " +
          "Effect.sync(() => this.interruptWork(loss))));"
      )
    ],
    noticedBy: "deadline",
    profile: "network",
    within: 4
  },
  {
    name: "interruption-left-to-the-scheduler",
    wrong: "the work is interrupted by a fiber that waits for the loss, and goes on until that is scheduled",
    patches: [
      election("leader/end", "this.interruptWork(loss);", ""),
      election(
        "leader/end",
        "Deferred.doneUnsafe(this.losing, Effect.sync(error));",
        "Deferred.doneUnsafe(this.losing, Effect.sync(error)); " +
          "Effect.runForkWith(context)(Effect.andThen(Effect.yieldNow, Effect.sync(() => this.interruptWork(loss))));"
      )
    ],
    noticedBy: "deadline",
    profile: "pauses",
    within: 4
  },
  {
    name: "resignation-before-finalizers",
    wrong: "the tenure is ended as soon as it is lost, while finalizers still run",
    patches: [election(
      "leader/withLeadership",
      "yield* following.cancel;",
      "yield* following.cancel;\n    " +
        "yield* Effect.forkIn(Effect.andThen(tenure.end.lost, Effect.suspend(() => tenure.end.writeVacancy())), scope);"
    )],
    noticedBy: "ending",
    profile: "deployments",
    within: 4
  },
  {
    name: "shortened-without-limit",
    wrong: "a renewal that shortens the lease does not limit the belief before it is confirmed",
    patches: [election("leader/renewal", "yield* limitBelief(tenure, attempt, view.leaseDuration);", "")],
    noticedBy: "beliefs",
    profile: "changes",
    within: 50
  },
  {
    name: "limit-told-only",
    wrong: "a belief that is limited before the lease is shortened is told to be, and is not",
    patches: [election("leader/renewal", "belief.limit(attempt, leaseDuration, marginOf(leaseDuration));", "")],
    noticedBy: "deadline",
    profile: "changes",
    within: 50
  },
  {
    name: "limit-seen-late",
    wrong: "a belief that is limited is looked at when the watchdog looks again, which may be after its end",
    patches: [election("leader/watchdog", "this.tenure.belief.monotonicUntil >= this.looksAt", "true")],
    noticedBy: "deadline",
    profile: "changes",
    within: 50
  },
  {
    name: "takeover-by-configured-lease",
    wrong: "a follower waits for the lease that is configured, not for the one that is stored",
    patches: [
      election("protocol/protocol", "now >= lapsesAt(observation);", "now >= observation.since + view.leaseDuration;"),
      election(
        "protocol/protocol",
        "memory.observation === undefined ? undefined : lapsesAt(memory.observation)",
        "undefined"
      )
    ],
    noticedBy: "beliefs",
    profile: "changes",
    within: 50
  },
  {
    name: "claim-without-configuration",
    wrong: "a claim does not conflict with the configuration that it goes by",
    patches: [
      election(
        "storage/writes",
        "yield* addDecisionConflicts(tx, keys, claimant.id);",
        "for (const key of [keys.leader, keys.lease, keys.challenge, keys.candidate(claimant.id)]) " +
          "yield* tx.addReadConflictKey(key);"
      )
    ],
    noticedBy: "replay",
    profile: "changes",
    within: 50
  },
  {
    name: "configuration-without-renewals",
    wrong: "a write of the configuration does not conflict with a renewal of the same version",
    patches: [election("storage/writes", "yield* tx.addReadConflictKey(keys.lease);\n", "\n")],
    noticedBy: "replay",
    profile: "changes",
    within: 100
  },
  {
    name: "belief-revived",
    wrong: "a confirmation that comes when the belief is over brings it back",
    patches: [
      election(
        "leader/renewalLoop",
        "if (!held)\n                return Effect.void;\n            this.tenure.renewed",
        "this.tenure.renewed"
      ),
      election(
        "leader/renewalLoop",
        "end, term } = this.tenure;\n        return Effect.flatMap(end.check,",
        "end, term } = this.tenure;\n        return Effect.flatMap(Effect.void,"
      )
    ],
    noticedBy: "deadline",
    profile: "pauses",
    within: 50
  },
  {
    name: "guard-at-a-lagging-version",
    wrong: "the guard reads at a version that may lag, where the caller allows it",
    patches: [election("leader/guard", "{ ...options, causalReadRisky: false }", "options")],
    noticedBy: "reasons",
    profile: "network",
    within: 50
  },
  {
    name: "clock-not-refused",
    wrong: "times that no record can hold are written",
    patches: [
      election("storage/codec", "const problem = misfit(checks, fields);", "const problem = undefined;"),
      election("storage/codec", "const problem = misfit([Priority, Heartbeat], fields);", "const problem = undefined;")
    ],
    noticedBy: "replay",
    profile: "clocks",
    within: 20
  },
  {
    name: "scope-of-the-caller",
    wrong: "what a work acquires and forks in its scope belongs to its caller",
    patches: [election("leader/work", "Effect.scoped(supervised)", "supervised")],
    noticedBy: "scopes",
    profile: "deployments",
    within: 4
  },
  {
    name: "challenger-that-cannot-lead",
    wrong: "that its margin does not fit the lease is found out when a candidate claims",
    patches: [
      election(
        "follower/look",
        "step._tag === \"Challenge\" || step._tag === \"Claim\"",
        "step._tag === \"Claim\""
      ),
      election("candidate/registration", "id, priority, able)", "id, priority)")
    ],
    noticedBy: "able",
    profile: "changes",
    within: 8
  },
  {
    name: "renewal-unregistered",
    wrong: "a renewal does not ask whether its candidate is still registered",
    patches: [
      election(
        "protocol/protocol",
        "const registered = registrationStatus(view, tenure);\n    if (registered !== \"registered\")",
        "const registered = \"registered\";\n    if (false)"
      )
    ],
    noticedBy: "registered",
    profile: "operators",
    within: 4
  },
  {
    name: "superseded-goes-on",
    wrong: "a candidate whose id another has registered goes on as if it were registered",
    patches: [
      election(
        "protocol/protocol",
        "case \"superseded\":\n            return { _tag: \"Superseded\" };",
        "case \"superseded\":"
      )
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 4
  },
  {
    name: "own-tenure-by-id",
    wrong: "a tenure stored under one's id is taken for one's own, whoever registered the id",
    patches: [
      election(
        "protocol/protocol",
        "view.leader._tag === \"Held\" && sameIdentity(view.leader, me);",
        "view.leader._tag === \"Held\" && view.leader.id === me.id;"
      )
    ],
    noticedBy: "beliefs",
    profile: "operators",
    within: 4
  },
  {
    name: "deposes-who-lives",
    wrong: "a superseded candidate does not wait until the other is gone or dead",
    patches: [
      election("protocol/protocol", "view.candidate === undefined || now >= since + timeout;", "true;")
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 4
  },
  {
    name: "beats-while-superseded",
    wrong: "a superseded candidate that waits goes on beating",
    patches: [
      election(
        "follower/campaign",
        "identity !== undefined && memory.current.supersededBy === undefined && !this.disabled",
        "identity !== undefined && !this.disabled"
      ),
      election("follower/campaign", "view.enabled && memory.current.supersededBy === undefined)", "view.enabled)")
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 4
  },
  {
    name: "ballot-not-observed",
    wrong: "a follower does not ask whether the lease was renewed",
    patches: [
      election("protocol/protocol", "observation.ballot === view.lease.ballot &&", "")
    ],
    noticedBy: "beliefs",
    profile: "network",
    within: 4
  },
  {
    name: "observed-from-before-the-read",
    wrong: "a follower counts a lease from before the read that first showed it",
    patches: [
      election(
        "follower/look",
        "Protocol.remember(before, view, readAt)",
        "Protocol.remember(before, view, attempt.monotonic)"
      )
    ],
    noticedBy: "beliefs",
    profile: "network",
    within: 50
  },
  {
    name: "term-from-terms",
    wrong: "a claim counts terms, and not ballots",
    patches: [
      election("protocol/protocol", "const term = view.lease.ballot + 1n;", "const term = view.leader.term + 1n;")
    ],
    noticedBy: "growth",
    profile: "calm",
    within: 2
  },
  {
    name: "preempts-at-once",
    wrong: "a candidate of a higher priority claims a live lease",
    patches: [
      election("protocol/protocol", "preempt: false", "preempt: true")
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 2
  },
  {
    name: "old-challenge-obeyed",
    wrong: "a challenge to another term is obeyed",
    patches: [
      election(
        "protocol/protocol",
        "challenge === undefined || challenge.term !== leader.term)\n        return undefined;",
        "challenge === undefined)\n        return undefined;"
      )
    ],
    noticedBy: "reasons",
    profile: "operators",
    within: 20
  },
  {
    name: "obeyed-where-not-allowed",
    wrong: "a challenge is obeyed where preemption is not allowed",
    patches: [
      election(
        "protocol/protocol",
        "return allowPreemption && challenge.priority > leader.priority ?",
        "return challenge.priority > leader.priority ?"
      )
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 20
  },
  {
    name: "challenge-where-not-allowed",
    wrong: "a candidate challenges where preemption is not allowed",
    patches: [
      election(
        "protocol/protocol",
        "if (!view.allowPreemption || leader._tag === \"Vacant\" ||",
        "if (leader._tag === \"Vacant\" ||"
      )
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 20
  },
  {
    name: "equals-challenge",
    wrong: "a candidate of the same priority challenges",
    patches: [
      election("protocol/protocol", "claimant.priority <= leader.priority)", "claimant.priority < leader.priority)")
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 2
  },
  {
    name: "request-overwritten",
    wrong: "a challenge replaces an operator's request",
    patches: [
      election(
        "protocol/protocol",
        "(challenge.challenger !== undefined && challenge.priority < claimant.priority)",
        "challenge.priority < claimant.priority"
      )
    ],
    noticedBy: "replay",
    profile: "calm",
    within: 20
  },
  {
    name: "better-challenge-overwritten",
    wrong: "a challenge replaces one of a higher priority",
    patches: [
      election(
        "protocol/protocol",
        "(challenge.challenger !== undefined && challenge.priority < claimant.priority)",
        "challenge.challenger !== undefined"
      )
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 8
  },
  {
    name: "vacancy-anew-with-each-look",
    wrong: "a vacancy that is left to a preferred successor is counted from each look anew",
    patches: [
      election("protocol/protocol", "since ?? readAt,", "readAt,")
    ],
    noticedBy: "liveness",
    profile: "deployments",
    within: 40
  },
  {
    name: "does-not-yield",
    wrong: "a leader that was asked to step down claims the vacancy at once",
    patches: [
      election(
        "follower/campaign",
        "memory.yieldsUntil(now() + Duration.toNanosUnsafe(pause))",
        "memory.yieldsUntil(undefined)"
      )
    ],
    noticedBy: "replay",
    profile: "calm",
    within: 2
  },
  {
    name: "renewal-while-disabled",
    wrong: "a renewal does not ask whether the election is enabled",
    patches: [
      election(
        "protocol/protocol",
        "if (!view.enabled && because !== \"stepped-down\")\n        return { _tag: \"Refuse\", because: \"disabled\" };",
        ""
      )
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 8
  },
  {
    name: "registers-while-disabled",
    wrong: "a candidate registers while the election is disabled",
    patches: [
      election("storage/writes", "yield* requireEnabled(keys, config);\n    yield* requireOf", "yield* requireOf"),
      election(
        "follower/campaign",
        "registration.identity === undefined && !this.disabled",
        "registration.identity === undefined"
      )
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 4
  },
  {
    name: "successor-forgotten",
    wrong: "a leader that yields to a challenger does not prefer it",
    patches: [
      election("protocol/protocol", "view.challenge?.challenger : undefined", "undefined : undefined")
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 2
  },
  {
    name: "preempted-as-resigned",
    wrong: "a leader that yields to a challenger is told to have resigned",
    patches: [
      election("protocol/protocol", "reason: asked ?? ", "reason: asked === \"preempted\" ? \"resigned\" : asked ?? ")
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 2
  },
  {
    name: "no-margin",
    wrong: "a leader believes for the whole lease",
    patches: [
      election("protocol/protocol", "attemptStart + leaseDuration - margin", "attemptStart + leaseDuration")
    ],
    noticedBy: "deadline",
    profile: "clocks",
    within: 20
  },
  {
    name: "evicted-though-it-beats",
    wrong: "a leader evicts who has written its record since it looked first",
    patches: [
      election("protocol/protocol", "a.lastHeartbeat === b.lastHeartbeat && ", "")
    ],
    noticedBy: "replay",
    profile: "pauses",
    within: 8
  },
  {
    name: "registration-without-conflict",
    wrong: "a registration does not conflict with another of its id, and undoes it when it comes late",
    patches: [
      election(
        "storage/writes",
        "yield* tx.addReadConflictKey(keys.candidate(id));\n    const record",
        "const record"
      )
    ],
    noticedBy: "replay",
    profile: "network",
    within: 50
  },
  {
    name: "relinquishes-anothers",
    wrong: "whoever is interrupted in its claim ends whatever tenure stands",
    patches: [
      election(
        "storage/writes",
        "if (view.leader._tag === \"Vacant\" || !sameIdentity(view.leader, me))",
        "if (view.leader._tag === \"Vacant\")"
      )
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 4
  },
  {
    name: "unregisters-another",
    wrong: "a superseded candidate that leaves removes the record of the other",
    patches: [
      election("candidate/registration", "identity.id, identity)", "identity.id, {})")
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 4
  },
  {
    name: "leaves-while-leading",
    wrong: "a candidate removes its record while its tenure stands",
    patches: [
      election(
        "storage/writes",
        "yield* resignIfLeading(keys, yield* identify(id, candidate, options));",
        "yield* identify(id, candidate, options);"
      )
    ],
    noticedBy: "registered",
    profile: "everything",
    within: 8
  },
  {
    name: "claim-without-challenge",
    wrong: "a claim does not conflict with the challenge that it answers",
    patches: [
      election(
        "storage/writes",
        "yield* addDecisionConflicts(tx, keys, claimant.id);",
        "for (const key of [keys.config, keys.leader, keys.lease, keys.candidate(claimant.id)]) yield* tx.addReadConflictKey(key);"
      )
    ],
    noticedBy: "replay",
    profile: "late",
    within: 50
  },
  {
    name: "renewal-without-configuration",
    wrong: "a renewal does not conflict with the configuration",
    patches: [
      election(
        "storage/writes",
        "return addDecisionConflicts(tx, keys, leader.id).pipe(",
        "return Effect.forEach([keys.leader, keys.lease, keys.challenge, keys.candidate(leader.id)], (key) => tx.addReadConflictKey(key)).pipe("
      )
    ],
    noticedBy: "replay",
    profile: "changes",
    within: 8
  },
  {
    name: "renewal-without-challenge",
    wrong: "a renewal does not conflict with the challenge",
    patches: [
      election(
        "storage/writes",
        "return addDecisionConflicts(tx, keys, leader.id).pipe(",
        "return Effect.forEach([keys.config, keys.leader, keys.lease, keys.candidate(leader.id)], (key) => tx.addReadConflictKey(key)).pipe("
      )
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 50
  },
  {
    name: "renewal-without-candidate",
    wrong: "a renewal does not conflict with its candidate's record",
    patches: [
      election(
        "storage/writes",
        "return addDecisionConflicts(tx, keys, leader.id).pipe(",
        "return Effect.forEach([keys.config, keys.leader, keys.lease, keys.challenge], (key) => tx.addReadConflictKey(key)).pipe("
      )
    ],
    noticedBy: "registered",
    profile: "operators",
    within: 20
  },
  {
    name: "renewal-without-tenure",
    wrong: "a renewal does not conflict with the leader and the lease",
    patches: [
      election(
        "storage/writes",
        "return addDecisionConflicts(tx, keys, leader.id).pipe(",
        "return Effect.forEach([keys.config, keys.challenge, keys.candidate(leader.id)], (key) => tx.addReadConflictKey(key)).pipe("
      )
    ],
    noticedBy: "replay",
    profile: "late",
    within: 20
  },
  {
    name: "resignation-without-challenge",
    wrong: "a resignation in one round trip does not conflict with the challenge",
    patches: [
      election(
        "storage/writes",
        "yield* addDecisionConflicts(tx, keys, leader.id);\n    const { id",
        "for (const key of [keys.config, keys.leader, keys.lease, keys.candidate(leader.id)]) yield* tx.addReadConflictKey(key);\n    const { id"
      )
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 50
  },
  {
    name: "challenge-without-tenure",
    wrong: "a challenge does not conflict with the tenure that it challenges",
    patches: [
      election(
        "storage/writes",
        "yield* addDecisionConflicts(tx, keys, id);",
        "for (const key of [keys.config, keys.challenge, keys.candidate(id)]) yield* tx.addReadConflictKey(key);"
      )
    ],
    noticedBy: "replay",
    profile: "late",
    within: 50
  },
  {
    name: "renewal-at-a-new-version",
    wrong: "a renewal in one round trip asks for a version, instead of taking that of the last",
    patches: [
      election("leader/renewal", "tx.setReadVersion(tenure.version.version).pipe(", "Effect.void.pipe(")
    ],
    noticedBy: "replay",
    profile: "late",
    within: 8
  },
  {
    name: "resignation-at-a-new-version",
    wrong: "a resignation in one round trip asks for a version, instead of taking that of the last renewal",
    patches: [
      election(
        "leader/end",
        "Effect.andThen(tx.setReadVersion(version.version), Writes.resignFast(",
        "Effect.andThen(Effect.void, Writes.resignFast("
      )
    ],
    noticedBy: "replay",
    profile: "late",
    within: 50
  },
  {
    name: "beat-at-a-new-version",
    wrong: "a heartbeat asks for a version, instead of taking that at which its record was seen",
    patches: [
      election("candidate/registration", "tx.setReadVersion(version).pipe(", "Effect.void.pipe(")
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 4
  },
  {
    name: "wall-clock-looked-at-late",
    wrong: "the watchdog looks again when the belief is over by the monotonic clock",
    patches: [
      election(
        "leader/watchdog",
        "const pause = remaining < longest ? remaining : longest;",
        "const pause = remaining;"
      )
    ],
    noticedBy: "deadline",
    profile: "clocks",
    within: 20
  },
  {
    name: "replaced-not-looked-into",
    wrong: "a watch that fails because the database was replaced calls nobody",
    patches: [
      election(
        "candidate/watches",
        "else if (!Option.exists(Cause.findErrorOption(exit.cause), (error) => !isTransient(error)))\n            return;",
        "else return;"
      )
    ],
    noticedBy: "replaced",
    profile: "outages",
    within: 20
  },
  {
    name: "replaced-not-lost",
    wrong: "a leader whose database was replaced tries again until its belief is over",
    patches: [
      election("leader/renewalLoop", "return Effect.andThen(told, end.lose(\"broken\"));", "return told;")
    ],
    noticedBy: "replaced",
    profile: "outages",
    within: 4
  },
  {
    name: "renewal-of-anothers",
    wrong: "a renewal does not ask whether the tenure that stands is its own",
    patches: [
      election(
        "protocol/protocol",
        "if (!isCurrent(view.leader, tenure))\n        return { _tag: \"Refuse\", because: \"replaced\" }",
        "if (false)\n        return { _tag: \"Refuse\", because: \"replaced\" }"
      )
    ],
    noticedBy: "replay",
    profile: "pauses",
    within: 50
  },
  {
    name: "claim-without-lease",
    wrong: "a claim does not conflict with the lease that it has seen lapse",
    patches: [
      election(
        "storage/writes",
        "yield* addDecisionConflicts(tx, keys, claimant.id);",
        "for (const key of [keys.config, keys.leader, keys.challenge, keys.candidate(claimant.id)]) yield* tx.addReadConflictKey(key);"
      )
    ],
    noticedBy: "growth",
    profile: "network",
    within: 50
  },
  {
    name: "claim-leaves-challenge",
    wrong: "a claim leaves the challenge of the tenure before",
    patches: [
      election(
        "storage/writes",
        "yield* writeHeartbeat(tx, keys, claimant, claimant.priority, now);\n    if (view.challenge !== undefined)\n        yield* tx.clear(keys.challenge);",
        "yield* writeHeartbeat(tx, keys, claimant, claimant.priority, now);"
      )
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 20
  },
  {
    name: "claim-without-end",
    wrong: "a claim of a lapsed lease does not end the tenure in the history",
    patches: [
      election("storage/writes", "if (claim.ends !== undefined && ended !== undefined) {", "if (false) {")
    ],
    noticedBy: "replay",
    profile: "pauses",
    within: 4
  },
  {
    name: "claim-keeps-the-lease",
    wrong: "a claim is written for the lease that is stored, not for the one that is configured",
    patches: [
      election(
        "storage/writes",
        "duration: view.leaseDuration, expiry: now + view.leaseDuration };\n    yield* add",
        "duration: view.lease.duration, expiry: now + view.leaseDuration };\n    yield* add"
      )
    ],
    noticedBy: "replay",
    profile: "changes",
    within: 4
  },
  {
    name: "resignation-leaves-challenge",
    wrong: "a resignation leaves the challenge that it answers",
    patches: [
      election(
        "storage/writes",
        "expiry: now }));\n    if (view.challenge !== undefined)\n        yield* tx.clear(keys.challenge);",
        "expiry: now }));"
      )
    ],
    noticedBy: "replay",
    profile: "deployments",
    within: 4
  },
  {
    name: "quick-resignation-leaves-challenge",
    wrong: "a resignation in one round trip leaves a challenge that asks nothing of the leader",
    patches: [
      election("storage/writes", "yield* tx.clear(keys.challenge);\n    if (leaves)", "if (leaves)")
    ],
    noticedBy: "replay",
    profile: "operators",
    within: 12
  },
  {
    name: "step-down-without-renewals",
    wrong: "a request to step down does not conflict with a renewal of the same version",
    patches: [
      election(
        "operations",
        "const [, leader, lease, challenge] = yield* Reads.readAll(tx, [",
        "const [, leader, lease, challenge] = yield* Reads.readAll(tx.snapshot, ["
      )
    ],
    noticedBy: "replay",
    profile: "changes",
    within: 50
  },
  {
    name: "fast-renewal-keeps-the-ballot",
    wrong: "a renewal in one round trip does not count",
    patches: [
      election("leader/renewal", "lease.ballot + 1n, lease.duration", "lease.ballot, lease.duration")
    ],
    noticedBy: "growth",
    profile: "calm",
    within: 2
  },
  {
    name: "no-watchdog",
    wrong: "nobody watches the belief while a call to the database hangs",
    patches: [
      election("leader/withLeadership", "Effect.andThen(watchdog.run, whenOver)", "Effect.void")
    ],
    noticedBy: "deadline",
    profile: "pauses",
    within: 4
  },
  {
    name: "overrun-untold",
    wrong: "a work that goes on when its lease has lapsed is not reported",
    patches: [election("leader/work", "if (overrunTold)", "if (true)")],
    noticedBy: "deadline",
    profile: "network",
    within: 20
  },
  {
    name: "finalizers-not-awaited",
    wrong: "whoever interrupts a work does not wait for its finalizers",
    patches: [
      election(
        "leader/work",
        "if (Exit.hasInterrupts(waited))\n            yield* Fiber.interrupt(working);",
        ""
      ),
      election(
        "leader/work",
        "Effect.suspend(() => working === undefined ? Effect.void : Effect.asVoid(Fiber.interrupt(working)))",
        "Effect.void"
      )
    ],
    noticedBy: "ending",
    profile: "deployments",
    within: 4
  },
  {
    name: "work-scheduler-dropped",
    wrong: "a fiber of the work that an answer calls goes on before the belief has been looked at",
    patches: [
      election("leader/work", "scheduled(tenure), Span", "Span")
    ],
    noticedBy: "deadline",
    profile: "clocks",
    within: 20
  },
  {
    name: "tenure-without-term",
    wrong: "a tenure is told from an earlier one of the same registration by nothing",
    patches: [election("protocol/protocol", "leader.term === tenure.term && sameIdentity", "sameIdentity")],
    noticedBy: "replay",
    profile: "late",
    within: 20
  },
  {
    name: "tenure-by-id",
    wrong: "a tenure is told from another by its leader's id alone",
    patches: [
      election(
        "protocol/protocol",
        "leader.term === tenure.term && sameIdentity(leader, tenure)",
        "leader.id === tenure.id"
      )
    ],
    noticedBy: "replay",
    profile: "late",
    within: 20
  },
  {
    name: "guard-of-any-leader",
    wrong: "the guard does not ask whether the tenure that stands is its own",
    patches: [
      election("leader/guard", "stored !== undefined && Bytes.equals(stored, record)", "stored !== undefined")
    ],
    noticedBy: "guarded",
    profile: "network",
    within: 50
  },
  {
    name: "old-vacancy",
    wrong: "a vacancy that a preferred successor is to have is counted from an earlier one",
    patches: [
      election(
        "protocol/protocol",
        "memory.observation?.term === view.leader.term ? memory.vacantSince : undefined",
        "memory.vacantSince"
      )
    ],
    noticedBy: "replay",
    profile: "late",
    within: 50
  },
  {
    name: "no-polling",
    wrong: "a follower waits for its watches only",
    patches: [election("follower/campaign", "watches.during(sleep(round.success))", "watches.during(Effect.never)")],
    noticedBy: "liveness",
    profile: "pauses",
    within: 4
  },
  {
    name: "no-watches",
    wrong: "a follower polls only",
    patches: [election("follower/campaign", "watches.during(sleep(round.success))", "sleep(round.success)")],
    noticedBy: "handover",
    profile: "calm",
    within: 2
  }
]

/** What came of a mutation. */
interface Finding {
  readonly mutation: Mutant
  /** How many seeds were tried. */
  readonly seeds: number
  /** For each checker that noticed: after how many seeds for the first time, and with how many of them. */
  readonly noticed: ReadonlyMap<string, { readonly first: number; readonly count: number }>
  /** Why it could not be judged, if it could not. */
  readonly error: string | undefined
}

/** Nothing is wrong. The checkers must be silent on the very seeds on which they notice mutations. */
const unmutated = (profile: Profile.Name, within: number): Mutant => ({
  name: `none (${profile})`,
  wrong: "nothing",
  patches: [],
  noticedBy: "",
  profile,
  within
})

/** Runs the seeds of one mutation in a child process. */
const judgeOne = (mutation: Mutant, seeds: number): Effect.Effect<Finding> =>
  Effect.callback<Finding>((resume) => {
    const script = fileURLToPath(new URL("./internal/mutantProcess.js", import.meta.url))
    const { patches, profile } = mutation
    const child = spawn(process.execPath, [script, JSON.stringify({ patches, profile, seeds, duration })], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    let errors = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text
    })
    child.on("close", (code) => {
      const noticed = new Map<string, { first: number; count: number }>()
      output.split("\n").filter((line) => line !== "").forEach((line, index) => {
        for (const checker of JSON.parse(line) as ReadonlyArray<string>) {
          const known = noticed.get(checker)
          if (known === undefined) noticed.set(checker, { first: index + 1, count: 1 })
          else known.count++
        }
      })
      resume(Effect.succeed({ mutation, seeds, noticed, error: code === 0 ? undefined : errors.trim().slice(-400) }))
    })
    return Effect.sync(() => void child.kill())
  })

/** Judges mutations, one child process after another; and the seeds of each profile without any. */
export const judge = (
  mutations: ReadonlyArray<Mutant>,
  seeds: number | undefined,
  progress: (line: string) => Effect.Effect<void>
): Effect.Effect<ReadonlyArray<Finding>> => {
  const needed = new Map<Profile.Name, number>()
  for (const { profile, within } of mutations) {
    needed.set(profile, Math.max(needed.get(profile) ?? 0, seeds ?? within))
  }
  const baselines = [...needed].map(([profile, within]) => unmutated(profile, within))
  return Effect.forEach([...mutations, ...baselines], (mutation) =>
    Effect.tap(
      judgeOne(mutation, seeds ?? mutation.within),
      ({ error, noticed }) =>
        progress(`${mutation.name}: ${error ?? ([...noticed.keys()].join(", ") || "not noticed")}`)
    ))
}

/** What is not as it should be. */
export const problems = (findings: ReadonlyArray<Finding>, complete: boolean): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const { error, mutation: { name, noticedBy, patches }, noticed, seeds } of findings) {
    if (error !== undefined) found.push(`${name} could not be judged: ${error}`)
    else if (patches.length === 0) {
      for (const checker of noticed.keys()) found.push(`${checker} is not silent though nothing is wrong: ${name}`)
    } else if (!noticed.has(noticedBy)) {
      found.push(`${noticedBy} has not noticed ${name} within ${plural(seeds, "seed")}`)
    }
  }
  if (!complete) return found
  for (const { name } of Checkers.all) {
    if (!findings.some(({ noticed }) => noticed.size === 1 && noticed.has(name))) {
      found.push(`no mutation is noticed by ${name} alone: it is not shown to be needed`)
    }
  }
  return found
}

/** A table for people, in Markdown. */
export const toTable = (findings: ReadonlyArray<Finding>): string =>
  [
    "| mutation | what is wrong | profile | seeds needed | noticed by (of its seeds) |",
    "|---|---|---|---|---|",
    ...findings.map(({ error, mutation, noticed, seeds }) => {
      const first = noticed.get(mutation.noticedBy)?.first
      const by = [...noticed].map(([checker, { count }]) => `${checker} ${count}/${seeds}`).join(", ")
      return `| ${mutation.name} | ${mutation.wrong} | ${mutation.profile} | ${first ?? "–"} | ${
        error ?? (by || `nobody, in ${seeds}`)
      } |`
    })
  ].join("\n")
