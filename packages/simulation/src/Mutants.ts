/**
 * The protocol broken on purpose, in ways in which it could be broken by mistake: each must be noticed by a checker.
 *
 * There are no seams for it in the library: a mutation is a change of the text of a built file, made while a child process
 * loads it. A text that is not found exactly once is an error, so that a mutation cannot silently change nothing.
 */
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
export interface Mutant {
  readonly name: string
  /** What is wrong then, in one line. */
  readonly wrong: string
  readonly patches: ReadonlyArray<Patch>
  /** The checker that must notice. */
  readonly noticedBy: string
  readonly profile: Profile.Name
}

/** A file of the library's `internal` folder, or of core's, a text in it, and what stands there instead. */
type Edit = readonly [file: string, find: string, replace: string]

/** What is wrong then, and the edits. */
type Row = readonly [wrong: string, ...edits: ReadonlyArray<Edit>]

type Key = "config" | "leader" | "lease" | "challenge" | "candidate"

/** Where a decision adds its read conflicts on the five keys that it may rest on. */
const decisions = {
  claim: "addDecisionConflicts(tx, keys, claimant.id)",
  renewal: "return addDecisionConflicts(tx, keys, leader.id)",
  resignation: "yield* addDecisionConflicts(tx, keys, leader.id)",
  challenge: "addDecisionConflicts(tx, keys, id)"
}

/** Decisions that do not conflict with some of the keys. S("leader") is never written without S("lease"). */
const withoutConflicts: ReadonlyArray<
  readonly [decision: keyof typeof decisions, keys: ReadonlyArray<Key>, profile: Profile.Name, noticedBy: string]
> = [
  ["claim", ["config"], "changes", "replay"],
  ["claim", ["lease"], "late", "growth"],
  ["claim", ["challenge"], "late", "replay"],
  ["claim", ["candidate"], "operators", "registered"],
  ["claim", ["config", "leader", "lease", "challenge", "candidate"], "late", "growth"],
  ["renewal", ["config"], "changes", "replay"],
  ["renewal", ["challenge"], "late", "replay"],
  ["renewal", ["candidate"], "operators", "registered"],
  ["renewal", ["leader", "lease"], "late", "growth"],
  ["resignation", ["config"], "changes", "replay"],
  ["resignation", ["challenge"], "late", "replay"],
  ["resignation", ["leader", "lease"], "late", "replay"],
  ["challenge", ["config"], "changes", "replay"],
  ["challenge", ["leader", "lease"], "late", "replay"],
  ["challenge", ["challenge"], "late", "replay"],
  ["challenge", ["candidate"], "operators", "registered"]
]

/** Conditions that are left out, actions that are, and values that are mistaken; by the profile and the checker that has to notice. */
const table: {
  readonly [profile in Profile.Name]?: { readonly [noticedBy: string]: { readonly [name: string]: Row } }
} = {
  calm: {
    growth: {
      "ballot-back-on-resignation": [
        "a resignation takes the ballot back to zero",
        [
          "storage/writes",
          "write(tx, keys.lease, Codec.encodeLease({ ...view.lease, expiry: now }))",
          "write(tx, keys.lease, Codec.encodeLease({ ...view.lease, ballot: 0n, expiry: now }))"
        ]
      ],
      "term-from-terms": [
        "a claim counts terms, and not ballots",
        ["protocol/takeover", "const term = view.lease.ballot + 1n;", "const term = view.leader.term + 1n;"]
      ],
      "fast-renewal-keeps-the-ballot": [
        "a renewal in one round trip does not count",
        ["leader/renewal", "lease.ballot + 1n, lease.duration", "lease.ballot, lease.duration"]
      ]
    },
    replay: {
      "does-not-yield": [
        "a leader that was asked to step down claims the vacancy at once",
        [
          "candidate/candidate",
          "memory.yieldsUntil(now() + Duration.toNanosUnsafe(pause))",
          "memory.yieldsUntil(undefined)"
        ]
      ],
      "claim-without-beat": [
        "a claim does not show that its candidate lives",
        ["storage/writes", "yield* writeHeartbeat(tx, keys, claimant, claimant.priority, now);\n    if", "if"]
      ],
      "renewal-without-beat": [
        "a renewal does not show that its candidate lives",
        ["storage/writes", "Effect.andThen(writeHeartbeat(tx, keys, leader, priority, now)), ", ""]
      ],
      "request-not-obeyed": [
        "an operator's request obliges nobody",
        ["protocol/challenge", "if (challenge.challenger === undefined)\n        return \"stepped-down\";", ""]
      ],
      "stepped-down-as-resigned": [
        "a leader that yields to an operator is told to have resigned",
        ["protocol/lease", "reason: asked ?? \"resigned\"", "reason: asked === \"preempted\" ? asked : \"resigned\""]
      ]
    },
    handover: {
      "no-watches": [
        "a follower polls only",
        ["follower/campaign", "watches.during(sleep(round.success))", "sleep(round.success)"]
      ],
      "refusal-ignored": [
        "a leader whose renewal is refused leads on until its belief is over",
        ["leader/renewalLoop", "return this.tenure.end.lose(because);", "return Effect.void;"]
      ]
    }
  },
  clocks: {
    beliefs: {
      "takeover-by-wall-clock": [
        "a follower takes over when its own wall clock has passed the stored expiry",
        [
          "follower/look",
          "return Protocol.step(memory, view,",
          "return Protocol.step(memory, { ...view, wall: clock.currentTimeNanosUnsafe() },"
        ],
        [
          "follower/look",
          "({ isStandby, lifecycle, registration: {",
          "({ clock, isStandby, lifecycle, registration: {"
        ],
        ["protocol/takeover", "now >= lapsesAt(observation);", "view.wall >= view.lease.expiry;"],
        [
          "protocol/following",
          "memory.observation === undefined ? undefined : lapsesAt(memory.observation)",
          "undefined"
        ]
      ]
    },
    replay: {
      "clock-not-refused": [
        "times that no record can hold are written",
        ["storage/codec", "const problem = misfit(checks, fields);", "const problem = undefined;"],
        ["storage/codec", "const problem = misfit([Priority, Heartbeat], fields);", "const problem = undefined;"]
      ]
    },
    deadline: {
      "set-back-not-followed": [
        "a jump of the wall clock is not noticed after it was set back",
        ["leader/belief", "if (wall + left < this.until.wall)", "if (false)"]
      ],
      "wall-clock-not-watched": [
        "a leader believes its monotonic clock only, which stands still while its host is suspended",
        ["leader/belief", "if (wall >= this.until.wall)", "if (false)"],
        ["leader/belief", "return atLeastZero(least(monotonic, wall));", "return atLeastZero(monotonic);"]
      ],
      "no-margin": [
        "a leader believes for the whole lease",
        ["protocol/lease", "attemptStart + leaseDuration - margin", "attemptStart + leaseDuration"]
      ],
      "wall-clock-looked-at-late": [
        "the watchdog looks again when the belief is over by the monotonic clock",
        ["leader/watchdog", "const pause = remaining < longest ? remaining : longest;", "const pause = remaining;"]
      ],
      "work-scheduler-dropped": [
        "a fiber of the work that an answer calls goes on before the belief has been looked at",
        ["leader/work", "scheduled(tenure), Span", "Span"]
      ]
    }
  },
  pauses: {
    replay: {
      "anothers-tenure-ended": [
        "a resignation ends whatever tenure stands",
        ["storage/writes", "if (Protocol.isCurrent(view.leader, tenure)) {", "if (view.leader._tag === \"Held\") {"]
      ],
      "evicted-too-soon": [
        "a leader evicts who has not shown itself for a tenth of a candidate timeout",
        ["protocol/registration", "timeoutsUntilEviction * candidateTimeout;", "candidateTimeout / 10n;"]
      ],
      "evicted-though-it-beats": [
        "a leader evicts who has written its record since it looked first",
        ["protocol/registration", "a.lastHeartbeat === b.lastHeartbeat && ", ""]
      ],
      "claim-without-end": [
        "a claim of a lapsed lease does not end the tenure in the history",
        ["storage/writes", "if (claim.ends !== undefined && ended !== undefined) {", "if (false) {"]
      ]
    },
    deadline: {
      "interruption-left-to-the-scheduler": [
        "the work is interrupted by a fiber that waits for the loss, and goes on until that is scheduled",
        ["leader/end", "goes on.\n        this.interruptWork();", "goes on."],
        [
          "leader/end",
          "Deferred.doneUnsafe(this.losing, Effect.sync(() => this.toError()));",
          "Deferred.doneUnsafe(this.losing, Effect.sync(() => this.toError())); Effect.runForkWith(context)(Effect.andThen(Effect.yieldNow, Effect.sync(() => this.interruptWork())));"
        ]
      ],
      "belief-revived": [
        "a confirmation that comes when the belief is over brings it back",
        [
          "leader/renewalLoop",
          "if (!held)\n                return Effect.void;\n            this.tenure.renewed",
          "this.tenure.renewed"
        ],
        [
          "leader/renewalLoop",
          "end, term } = this.tenure;\n        return Effect.flatMap(end.check,",
          "end, term } = this.tenure;\n        return Effect.flatMap(Effect.void,"
        ]
      ],
      "guard-without-check": [
        "the guard does not check the belief",
        ["leader/guard", "Effect.flatMap(end.check, (held) => held", "Effect.flatMap(Effect.void, () => true"]
      ],
      "no-watchdog": [
        "nobody watches the belief while a call to the database hangs",
        ["leader/withLeadership", "Effect.andThen(watchdog.run, whenOver)", "Effect.void"]
      ]
    },
    liveness: {
      "no-polling": [
        "a follower waits for its watches only",
        ["follower/campaign", "watches.during(sleep(round.success))", "watches.during(Effect.never)"]
      ]
    }
  },
  network: {
    beliefs: {
      "lease-from-the-commit": [
        "a leader counts its lease from the answer of the renewal, not from its start",
        [
          "leader/renewalLoop",
          "this.tenure.renewed(attempt, lease, version);",
          "this.tenure.renewed({ monotonic: now(), wall: this.tenure.candidate.clock.currentTimeNanosUnsafe() }, lease, version);"
        ]
      ],
      "ballot-not-observed": [
        "a follower does not ask whether the lease was renewed",
        ["protocol/takeover", "observation.ballot === view.lease.ballot &&", ""]
      ],
      "observed-from-before-the-read": [
        "a follower counts a lease from before the read that first showed it",
        [
          "follower/look",
          "Protocol.remember(before, view, readAt)",
          "Protocol.remember(before, view, attempt.monotonic)"
        ]
      ],
      "belief-from-the-commit": [
        "a leader counts its lease from the answer of its claim, not from its start",
        [
          "follower/campaign",
          "lease, attempt, version, cause",
          "lease, attempt: { monotonic: at, wall: this.candidate.clock.currentTimeNanosUnsafe() }, version, cause"
        ]
      ]
    },
    growth: {
      "full-renewal-keeps-the-ballot": [
        "a renewal on the full path does not count",
        [
          "protocol/lease",
          "_tag: \"Renew\", ballot: view.lease.ballot + 1n",
          "_tag: \"Renew\", ballot: view.lease.ballot"
        ]
      ]
    },
    guarded: {
      "guard-of-any-leader": [
        "the guard does not ask whether the tenure that stands is its own",
        ["leader/guard", "stored !== undefined && Bytes.equals(stored, record)", "stored !== undefined"]
      ]
    },
    replay: {
      "renewal-of-anothers": [
        "a renewal does not ask whether the tenure that stands is its own",
        [
          "protocol/lease",
          "if (!isCurrent(view.leader, tenure))\n        return { _tag: \"Refuse\", because: \"replaced\" }",
          "if (false)\n        return { _tag: \"Refuse\", because: \"replaced\" }"
        ]
      ]
    },
    deadline: {
      "belief-extended": [
        "a renewal that fails extends the belief",
        [
          "leader/renewalLoop",
          "contact.failure();",
          "contact.failure(); const span = this.tenure.lease.duration; const { clock, marginOf } = this.tenure.candidate; this.tenure.belief.confirm({ monotonic: clock.monotonicTimeNanosUnsafe(), wall: clock.currentTimeNanosUnsafe() }, span, marginOf(span));"
        ]
      ],
      "late-interruption": [
        "the work is interrupted a second after the leadership was lost",
        ["leader/end", "goes on.\n        this.interruptWork();", "goes on."],
        [
          "leader/end",
          "Deferred.doneUnsafe(this.losing, Effect.sync(() => this.toError()));",
          "Deferred.doneUnsafe(this.losing, Effect.sync(() => this.toError())); Effect.runForkWith(context)(Effect.andThen(Effect.sleep(\"1 second\"), Effect.sync(() => this.interruptWork())));"
        ]
      ],
      "overrun-untold": [
        "a work that goes on when its lease has lapsed is not reported",
        ["leader/work", "if (overrunTold)", "if (true)"]
      ]
    },
    reasons: {
      "guard-at-a-lagging-version": [
        "the guard reads at a version that may lag, where the caller allows it",
        ["leader/guard", "{ ...options, causalReadRisky: false }", "options"]
      ]
    },
    undisturbed: {
      "guard-reads-the-lease": [
        "the guard conflicts with S(\"lease\"), which every renewal writes",
        ["leader/guard", "tx.get(keys.leader)", "Effect.andThen(tx.get(keys.lease), tx.get(keys.leader))"]
      ]
    }
  },
  late: {
    guarded: {
      "guard-on-a-snapshot": [
        "the guard reads S(\"leader\") without conflict",
        ["leader/guard", "tx.get(keys.leader)", "tx.snapshot.get(keys.leader)"]
      ]
    },
    replay: {
      "request-overwritten": [
        "a challenge replaces an operator's request",
        [
          "protocol/challenge",
          "(challenge.challenger !== undefined && challenge.priority < claimant.priority)",
          "challenge.priority < claimant.priority"
        ]
      ],
      "renewal-at-a-new-version": [
        "a renewal in one round trip asks for a version, instead of taking that of the last",
        ["leader/renewal", "tx.setReadVersion(tenure.version.version).pipe(", "Effect.void.pipe("]
      ],
      "resignation-at-a-new-version": [
        "a resignation in one round trip asks for a version, instead of taking that of the last renewal",
        [
          "leader/end",
          "Effect.andThen(tx.setReadVersion(version.version), Writes.resignFast(",
          "Effect.andThen(Effect.void, Writes.resignFast("
        ]
      ],
      "tenure-without-term": [
        "a tenure is told from an earlier one of the same registration by nothing",
        ["protocol/records", "leader.term === tenure.term && sameIdentity", "sameIdentity"]
      ],
      "tenure-by-id": [
        "a tenure is told from another by its leader's id alone",
        ["protocol/records", "leader.term === tenure.term && sameIdentity(leader, tenure)", "leader.id === tenure.id"]
      ],
      "old-vacancy": [
        "a vacancy that a preferred successor is to have is counted from an earlier one",
        [
          "protocol/following",
          "memory.observation?.term === view.leader.term ? memory.vacantSince : undefined",
          "memory.vacantSince"
        ]
      ]
    }
  },
  outages: {
    replaced: {
      "replaced-not-looked-into": [
        "a watch that fails because the database was replaced calls nobody",
        [
          "candidate/watches",
          "else if (!Option.exists(Cause.findErrorOption(exit.cause), (error) => !isTransient(error)))\n            return;",
          "else return;"
        ]
      ],
      "replaced-not-lost": [
        "a leader whose database was replaced tries again until its belief is over",
        ["leader/renewalLoop", "return Effect.andThen(told, end.lose(\"broken\"));", "return told;"]
      ]
    }
  },
  operators: {
    beliefs: {
      "own-tenure-by-id": [
        "a tenure stored under one's id is taken for one's own, whoever registered the id",
        [
          "protocol/following",
          "view.leader._tag === \"Held\" && sameIdentity(view.leader, me) &&",
          "view.leader._tag === \"Held\" && view.leader.id === me.id &&"
        ]
      ]
    },
    replay: {
      "claim-while-disabled": [
        "followers do not ask whether the election is enabled",
        ["protocol/following", "if (!view.enabled)\n        return { _tag: \"Follow\", until: undefined };", ""],
        ["follower/look", "if (!view.enabled || lifecycle.isClosing)", "if (lifecycle.isClosing)"]
      ],
      "unregistered-goes-on": [
        "a candidate that was evicted goes on as if it were registered",
        ["protocol/following", "case \"evicted\":\n            return { _tag: \"Register\" };", ""]
      ],
      "low-challenge-obeyed": [
        "a challenge of a lower priority is obeyed",
        [
          "protocol/challenge",
          "return allowPreemption && challenge.priority > leader.priority ? \"preempted\" : undefined;",
          "return allowPreemption ? \"preempted\" : undefined;"
        ]
      ],
      "beat-without-conflict": [
        "a heartbeat does not conflict with its own record, and brings back what was evicted",
        ["candidate/registration", "tx.addReadConflictKey(keys.candidate(me.id))", "Effect.void"]
      ],
      "superseded-goes-on": [
        "a candidate whose id another has registered goes on as if it were registered",
        [
          "protocol/following",
          "case \"superseded\":\n            return { _tag: \"Superseded\" };",
          "case \"superseded\":"
        ]
      ],
      "deposes-who-lives": [
        "a superseded candidate does not wait until the other is gone or dead",
        ["protocol/registration", "view.candidate === undefined || now >= since + timeout;", "true;"]
      ],
      "beats-while-superseded": [
        "a superseded candidate that waits goes on beating",
        [
          "follower/campaign",
          "identity !== undefined && memory.current.supersededBy === undefined && !this.disabled",
          "identity !== undefined && !this.disabled"
        ],
        ["follower/campaign", "view.enabled && memory.current.supersededBy === undefined)", "view.enabled)"]
      ],
      "obeyed-where-not-allowed": [
        "a challenge is obeyed where preemption is not allowed",
        [
          "protocol/challenge",
          "return allowPreemption && challenge.priority > leader.priority ?",
          "return challenge.priority > leader.priority ?"
        ]
      ],
      "challenge-where-not-allowed": [
        "a candidate challenges where preemption is not allowed",
        [
          "protocol/challenge",
          "if (!view.allowPreemption || leader._tag === \"Vacant\" ||",
          "if (leader._tag === \"Vacant\" ||"
        ]
      ],
      "renewal-while-disabled": [
        "a renewal does not ask whether the election is enabled",
        [
          "protocol/lease",
          "if (!view.enabled && because !== \"stepped-down\")\n        return { _tag: \"Refuse\", because: \"disabled\" };",
          ""
        ]
      ],
      "registers-while-disabled": [
        "a candidate registers while the election is disabled",
        ["storage/writes", "yield* requireEnabled(keys, config);\n    yield* requireOf", "yield* requireOf"],
        [
          "follower/campaign",
          "registration.identity === undefined && !this.disabled",
          "registration.identity === undefined"
        ]
      ],
      "registration-without-conflict": [
        "a registration does not conflict with another of its id, and undoes it when it comes late",
        ["storage/writes", "yield* tx.addReadConflictKey(keys.candidate(id));\n    const record", "const record"]
      ],
      "unregisters-another": [
        "a superseded candidate that leaves removes the record of the other",
        ["candidate/registration", "identity.id, identity)", "identity.id, {})"]
      ],
      "beat-at-a-new-version": [
        "a heartbeat asks for a version, instead of taking that at which its record was seen",
        ["candidate/registration", "tx.setReadVersion(version).pipe(", "Effect.void.pipe("]
      ],
      "quick-resignation-leaves-challenge": [
        "a resignation in one round trip leaves a challenge that asks nothing of the leader",
        ["storage/writes", "yield* tx.clear(keys.challenge);\n    if (leaves)", "if (leaves)"]
      ]
    },
    registered: {
      "renewal-without-identity": [
        "a renewal does not ask whose tenure it is",
        [
          "protocol/lease",
          "if (!isCurrent(view.leader, tenure))\n        return { _tag: \"Refuse\", because: \"replaced\" }",
          "if (false) return { _tag: \"Refuse\", because: \"replaced\" }"
        ],
        [
          "protocol/lease",
          "const registered = registrationStatus(view, tenure);",
          "const registered = \"registered\";"
        ]
      ],
      "leader-evicted": [
        "eviction spares nobody",
        ["operations", " && !isLeader(candidate)", ""]
      ],
      "renewal-unregistered": [
        "a renewal does not ask whether its candidate is still registered",
        [
          "protocol/lease",
          "const registered = registrationStatus(view, tenure);\n    if (registered !== \"registered\")",
          "const registered = \"registered\";\n    if (false)"
        ]
      ]
    },
    reasons: {
      "old-challenge-obeyed": [
        "a challenge to another term is obeyed",
        [
          "protocol/challenge",
          "challenge === undefined || challenge.term !== leader.term)\n        return undefined;",
          "challenge === undefined)\n        return undefined;"
        ]
      ]
    }
  },
  changes: {
    counter: {
      "unknown-commit-retried": [
        "a commit of unknown outcome is retried though the caller has not said that it is idempotent",
        ["core/retry", "error.retryable && (!error.maybeCommitted || options.idempotent === true)", "error.retryable"]
      ]
    },
    beliefs: {
      "shortened-without-limit": [
        "a renewal that shortens the lease does not limit the belief before it is confirmed",
        ["leader/renewal", "yield* limitBelief(tenure, attempt, view.leaseDuration);", ""]
      ],
      "takeover-by-configured-lease": [
        "a follower waits for the lease that is configured, not for the one that is stored",
        ["protocol/takeover", "now >= lapsesAt(observation);", "now >= observation.since + view.leaseDuration;"],
        [
          "protocol/following",
          "memory.observation === undefined ? undefined : lapsesAt(memory.observation)",
          "undefined"
        ]
      ]
    },
    replay: {
      "configuration-without-renewals": [
        "a write of the configuration does not conflict with a renewal of the same version",
        ["storage/writes", "yield* tx.addReadConflictKey(keys.lease);\n", "\n"]
      ],
      "claim-keeps-the-lease": [
        "a claim is written for the lease that is stored, not for the one that is configured",
        [
          "storage/writes",
          "duration: view.leaseDuration, expiry: now + view.leaseDuration };\n    yield* add",
          "duration: view.lease.duration, expiry: now + view.leaseDuration };\n    yield* add"
        ]
      ],
      "step-down-without-renewals": [
        "a request to step down does not conflict with a renewal of the same version",
        [
          "operations",
          "const [, leader, lease, challenge] = yield* Reads.readAll(tx, [",
          "const [, leader, lease, challenge] = yield* Reads.readAll(tx.snapshot, ["
        ]
      ],
      "registration-without-configuration": [
        "a registration does not conflict with the configuration",
        [
          "storage/writes",
          "const config = yield* Reads.read(tx, Reads.config(keys));\n    yield* requireEnabled",
          "const config = yield* Reads.read(tx.snapshot, Reads.config(keys));\n    yield* requireEnabled"
        ]
      ]
    },
    deadline: {
      "limit-told-only": [
        "a belief that is limited before the lease is shortened is told to be, and is not",
        ["leader/renewal", "belief.limit(attempt, leaseDuration, marginOf(leaseDuration));", ""]
      ],
      "limit-seen-late": [
        "a belief that is limited is looked at when the watchdog looks again, which may be after its end",
        ["leader/watchdog", "this.tenure.belief.monotonicUntil >= this.looksAt", "true"]
      ]
    },
    reasons: {
      "disabled-lost-at-once": [
        "a leader of an election that is disabled loses its tenure at once, though that may pass",
        ["leader/renewalLoop", "if (because !== \"disabled\")\n", ""]
      ]
    },
    able: {
      "challenger-that-cannot-lead": [
        "that its margin does not fit the lease is found out when a candidate claims",
        ["follower/look", "step._tag === \"Challenge\" || step._tag === \"Claim\"", "step._tag === \"Claim\""],
        ["candidate/registration", "id, priority, able)", "id, priority)"]
      ]
    }
  },
  deployments: {
    sink: {
      "rounded-token": [
        "the fencing token that the work is given is rounded down",
        [
          "leader/withLeadership",
          "term: tenure.term,\n    state:",
          "term: tenure.term - tenure.term % 64n,\n    state:"
        ]
      ]
    },
    replay: {
      "held-counted-as-vacant": [
        "a vacancy is counted from before there was one",
        ["protocol/following", "view.leader._tag === \"Held\" ? undefined : since ?? readAt", "since ?? readAt"]
      ],
      "delay-asked-once": [
        "a candidate asks once how long to wait, and not for each leader",
        ["follower/look", "memory.challenges?.term === term)", "memory.challenges !== undefined)"]
      ],
      "any-that-lasted-ends-the-row": [
        "any tenure that has lasted ends the row of failed preemptions",
        ["protocol/challenge", "if (lasted && (preempted || leaderId === id))", "if (lasted)"]
      ],
      "resigning-is-no-failure": [
        "a preemption whose winner has resigned at once has not failed",
        ["protocol/challenge", "(reason === \"resigned\" || reason === \"expired\")", "reason === \"expired\""]
      ],
      "crash-is-no-failure": [
        "a preemption whose winner has crashed has not failed",
        ["protocol/challenge", "(reason === \"resigned\" || reason === \"expired\")", "reason === \"resigned\""]
      ],
      "preference-ignored": [
        "a vacancy is not left to the preferred successor",
        [
          "protocol/following",
          "preferred === undefined ? me.isStandby === true : !sameIdentity(preferred, me)",
          "false"
        ]
      ],
      "renewal-despite-challenge": [
        "a leader that has been challenged goes on renewing",
        ["protocol/lease", "const because = stepDownReason(view);", "const because = undefined;"]
      ],
      "challenge-without-delay": [
        "a challenger does not wait after preemptions that have failed",
        ["protocol/challenge", "failed === 0 ? 0n : lease << BigInt(", "0n && lease << BigInt("]
      ],
      "preempts-at-once": [
        "a candidate of a higher priority claims a live lease",
        ["protocol/following", "preempt: false", "preempt: true"]
      ],
      "equals-challenge": [
        "a candidate of the same priority challenges",
        ["protocol/challenge", "claimant.priority <= leader.priority)", "claimant.priority < leader.priority)"]
      ],
      "better-challenge-overwritten": [
        "a challenge replaces one of a higher priority",
        [
          "protocol/challenge",
          "(challenge.challenger !== undefined && challenge.priority < claimant.priority)",
          "challenge.challenger !== undefined"
        ]
      ],
      "successor-forgotten": [
        "a leader that yields to a challenger does not prefer it",
        ["protocol/lease", "view.challenge?.challenger : undefined", "undefined : undefined"]
      ],
      "preempted-as-resigned": [
        "a leader that yields to a challenger is told to have resigned",
        ["protocol/lease", "reason: asked ?? ", "reason: asked === \"preempted\" ? \"resigned\" : asked ?? "]
      ],
      "relinquishes-anothers": [
        "whoever is interrupted in its claim ends whatever tenure stands",
        [
          "storage/writes",
          "if (view.leader._tag === \"Vacant\" || !sameIdentity(view.leader, me))",
          "if (view.leader._tag === \"Vacant\")"
        ]
      ],
      "claim-leaves-challenge": [
        "a claim leaves the challenge of the tenure before",
        [
          "storage/writes",
          "yield* writeHeartbeat(tx, keys, claimant, claimant.priority, now);\n    if (view.challenge !== undefined)\n        yield* tx.clear(keys.challenge);",
          "yield* writeHeartbeat(tx, keys, claimant, claimant.priority, now);"
        ]
      ],
      "resignation-leaves-challenge": [
        "a resignation leaves the challenge that it answers",
        [
          "storage/writes",
          "expiry: now }));\n    if (view.challenge !== undefined)\n        yield* tx.clear(keys.challenge);",
          "expiry: now }));"
        ]
      ]
    },
    ending: {
      "resignation-before-finalizers": [
        "the tenure is ended as soon as it is lost, while finalizers still run",
        [
          "leader/withLeadership",
          "yield* following.cancel;",
          "yield* following.cancel;\n    yield* Effect.forkIn(Effect.andThen(tenure.end.lost, Effect.suspend(() => tenure.end.writeVacancy())), scope);"
        ]
      ],
      "finalizers-not-awaited": [
        "whoever interrupts a work does not wait for its finalizers",
        ["leader/work", "if (Exit.hasInterrupts(waited))\n            yield* Fiber.interrupt(working);", ""],
        [
          "leader/work",
          "Effect.suspend(() => working === undefined ? Effect.void : Effect.asVoid(Fiber.interrupt(working)))",
          "Effect.void"
        ]
      ]
    },
    liveness: {
      "vacancy-anew-with-each-look": [
        "a vacancy that is left to a preferred successor is counted from each look anew",
        ["protocol/following", "since ?? readAt,", "readAt,"]
      ]
    },
    scopes: {
      "scope-of-the-caller": [
        "what a work acquires and forks in its scope belongs to its caller",
        ["leader/work", "Effect.scoped(supervised)", "supervised"]
      ]
    }
  },
  everything: {
    registered: {
      "leaves-while-leading": [
        "a candidate removes its record while its tenure stands",
        [
          "storage/writes",
          "yield* resignIfLeading(keys, yield* identify(id, candidate, options));",
          "yield* identify(id, candidate, options);"
        ]
      ]
    }
  }
}

const core = "core/"

const patch = ([file, find, replace]: Edit): Patch => ({
  package: file.startsWith(core) ? "@effect-fdb/core" : "@effect-fdb/leader-election",
  file: `internal/${file.startsWith(core) ? file.slice(core.length) : file}.js`,
  find,
  replace
})

/** The keys, of which some are replaced by one that nobody writes. */
const replacing = (keys: ReadonlyArray<Key>): string =>
  `{ ...keys, ${keys.map((key) => `${key}: ${key === "candidate" ? "() => " : ""}keys.tenure(0n)`).join(", ")} }`

/** All of them; and for every checker one that it alone notices. */
export const all: ReadonlyArray<Mutant> = [
  ...withoutConflicts.map(([decision, keys, profile, noticedBy]): Mutant => {
    const find = decisions[decision]
    return {
      name: `${decision}-without-${keys.length === 5 ? "conflict" : keys.join("-and-")}`,
      wrong: `a ${decision} does not conflict with ${keys.length === 5 ? "what it rests on" : keys.join(" and ")}`,
      patches: [patch(["storage/writes", find, find.replace("keys", replacing(keys))])],
      noticedBy,
      profile
    }
  }),
  ...Object.entries(table).flatMap(([profile, checkers]) =>
    Object.entries(checkers).flatMap(([noticedBy, rows]) =>
      Object.entries(rows).map(([name, [wrong, ...edits]]): Mutant => ({
        name,
        wrong,
        patches: edits.map(patch),
        noticedBy,
        profile: profile as Profile.Name
      }))
    )
  )
]
