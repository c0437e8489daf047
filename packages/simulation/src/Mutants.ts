/**
 * The protocol broken on purpose, in ways in which it could be broken by mistake: each must be noticed, by a checker of simulated
 * histories, or by a test where no history is known that shows it.
 *
 * A mutant changes the text of built files while a child process loads them. A text that is not found exactly once is
 * an error, so that no mutant can silently change nothing.
 */
import * as Profile from "./Profile.ts"

/** A change of one built file. */
export interface Patch {
  readonly package: "@effect-fdb/core" | "@effect-fdb/leader-election" | "@effect-fdb/simulation"
  /** Below `dist`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** The checker that must notice, in the histories of a profile. */
export interface ByChecker {
  readonly checker: string
  readonly profile: Profile.Name
}

/** The test that must fail: a part of its name, and its file, from the root of the repository. */
export interface ByTest {
  readonly test: string
  readonly file: string
}

export interface Mutant {
  readonly name: string
  /** What is wrong then, in one line. */
  readonly wrong: string
  readonly patches: ReadonlyArray<Patch>
  readonly noticedBy: ByChecker | ByTest
}

/**
 * Each mutant is `name (profile, checker): what is wrong`, or `name (file "test"): what is wrong` with a file such as
 * `leader-election/Handover`. Below it are its patches as in `git diff --word-diff`: the
 * file, and a text with its `[-removed-]` and `{+added+}` parts. `\n` is a line break. A backslash continues a line.
 */
const table = String.raw`
claim-without-config (changes, replay): a claim does not conflict with config
  storage/writes: addDecisionConflicts(tx, [-keys-]{+{ ...keys, config: keys.historyEntry(0n) }+}, claimant.id)
claim-without-lease (late, growth): a claim does not conflict with lease
  storage/writes: addDecisionConflicts(tx, [-keys-]{+{ ...keys, lease: keys.historyEntry(0n) }+}, claimant.id)
claim-without-challenge (late, replay): a claim does not conflict with challenge
  storage/writes: addDecisionConflicts(tx, [-keys-]{+{ ...keys, challenge: keys.historyEntry(0n) }+}, claimant.id)
claim-without-candidate (operators, registered): a claim does not conflict with candidate
  storage/writes: addDecisionConflicts(tx, [-keys-]{+{ ...keys, candidate: () => keys.historyEntry(0n) }+}, claimant.id)
claim-without-conflict (late, growth): a claim does not conflict with what it rests on
  storage/writes: addDecisionConflicts(tx, [-keys-]\
    {+{ ...keys, config: keys.historyEntry(0n), leader: keys.historyEntry(0n), lease: keys.historyEntry(0n), \
    challenge: keys.historyEntry(0n), candidate: () => keys.historyEntry(0n) }+}, claimant.id)
renewal-without-config (changes, replay): a renewal does not conflict with config
  storage/writes: yield* addDecisionConflicts(tx, [-keys-]{+{ ...keys, config: keys.historyEntry(0n) }+}, leader.id);\n    yield* tx.set
renewal-without-challenge (late, replay): a renewal does not conflict with challenge
  storage/writes: yield* addDecisionConflicts(tx, [-keys-]{+{ ...keys, challenge: keys.historyEntry(0n) }+}, leader.id);\n    yield* tx.set
renewal-without-candidate (operators, registered): a renewal does not conflict with candidate
  storage/writes: yield* addDecisionConflicts(tx, [-keys-]{+{ ...keys, candidate: () => keys.historyEntry(0n) }+}, leader.id);\n    yield* tx.set
renewal-without-leader-and-lease (late, growth): a renewal does not conflict with leader and lease
  storage/writes: yield* addDecisionConflicts(tx, [-keys-]\
    {+{ ...keys, leader: keys.historyEntry(0n), lease: keys.historyEntry(0n) }+}, leader.id);\n    yield* tx.set
resignation-without-config (changes, replay): a resignation does not conflict with config
  storage/writes: yield* addDecisionConflicts(tx, [-keys-]{+{ ...keys, config: keys.historyEntry(0n) }+}, leader.id);\n    const
resignation-without-challenge (late, replay): a resignation does not conflict with challenge
  storage/writes: yield* addDecisionConflicts(tx, [-keys-]{+{ ...keys, challenge: keys.historyEntry(0n) }+}, leader.id);\n    const
resignation-without-leader-and-lease (late, replay): a resignation does not conflict with leader and lease
  storage/writes: yield* addDecisionConflicts(tx, [-keys-]\
    {+{ ...keys, leader: keys.historyEntry(0n), lease: keys.historyEntry(0n) }+}, leader.id);\n    const
challenge-without-config (changes, replay): a challenge does not conflict with config
  storage/writes: addDecisionConflicts(tx, [-keys-]{+{ ...keys, config: keys.historyEntry(0n) }+}, id)
challenge-without-leader-and-lease (late, replay): a challenge does not conflict with leader and lease
  storage/writes: addDecisionConflicts(tx, [-keys-]{+{ ...keys, leader: keys.historyEntry(0n), lease: keys.historyEntry(0n) }+}, id)
challenge-without-challenge (late, replay): a challenge does not conflict with challenge
  storage/writes: addDecisionConflicts(tx, [-keys-]{+{ ...keys, challenge: keys.historyEntry(0n) }+}, id)
challenge-without-candidate (operators, registered): a challenge does not conflict with candidate
  storage/writes: addDecisionConflicts(tx, [-keys-]{+{ ...keys, candidate: () => keys.historyEntry(0n) }+}, id)
ballot-back-on-resignation (operators, growth): a resignation takes the ballot back to zero
  storage/writes: write(tx, keys.lease, Codec.encodeLease({ ...view.lease, {+ballot: 0n, +}expiry: now }))
term-from-terms (operators, growth): a claim counts terms, and not ballots
  protocol/takeover: const term = view.[-lease.ballot-]{+leader.term+} + 1n;
fast-renewal-keeps-the-ballot (calm, growth): a renewal in one round trip does not count
  leader/renewal: lease.ballot[- + 1n-], lease.duration
does-not-yield (calm, replay): a leader that was asked to step down claims the vacancy at once
  candidate/candidate: memory.yieldsUntil([-now() + Duration.toNanosUnsafe(pause)-]{+undefined+})
claim-without-beat (calm, replay): a claim does not show that its candidate lives
  storage/writes: [-yield* writeHeartbeat(tx, keys, claimant, claimant.priority, now);\n    -]if
renewal-without-beat (calm, replay): a renewal does not show that its candidate lives
  storage/writes: [-yield* tx.set(keys.candidate(leader.id), heartbeat);-]
request-not-obeyed (calm, replay): an operator's request obliges nobody
  protocol/challenge: [-if (challenge.challenger === undefined)\n        return "stepped-down";-]
stepped-down-as-resigned (calm, replay): a leader that yields to an operator is told to have resigned
  protocol/lease: reason: asked [-??-]{+=== "preempted" ? asked :+} "resigned"
no-watches (calm, handover): a follower polls only
  follower/campaign: [-watches.during(-]campaign.wait(round.success)[-)-]
refusal-ignored (calm, handover): a leader whose renewal is refused leads on until its belief is over
  leader/renewalLoop: return [-this.tenure.end.lose(because)-]{+Effect.void+};
takeover-by-wall-clock (clocks, beliefs): a follower takes over when its own wall clock has passed the stored expiry
  follower/look: return Protocol.step(memory, [-view-]{+{ ...view, wall: clock.currentTimeNanosUnsafe() }+},
  follower/look: ({ {+clock, +}isAppointable, isStandby, lifecycle, registration: {
  protocol/takeover: [-now >= lapsesAt(observation)-]{+view.wall >= view.lease.expiry+};
  protocol/following: [-memory.observation === undefined ? undefined : lapsesAt(memory.observation) + delay-]{+undefined+}
clock-not-refused (clocks, replay): times that no record can hold are written
  storage/codec: const problem = [-misfit(checks, fields)-]{+undefined+};
  storage/codec: const problem = [-misfit([Priority, Heartbeat], fields)-]{+undefined+};
set-back-not-followed (clocks, deadline): a jump of the wall clock is not noticed after it was set back
  leader/belief: if ([-wall + left < this.until.wall-]{+false+})
wall-clock-not-watched (clocks, deadline): a leader believes its monotonic clock only, which stands still while its \
    host is suspended
  leader/belief: if ([-wall >= this.until.wall-]{+false+})
  leader/belief: return atLeastZero([-least(monotonic, wall)-]{+monotonic+});
no-margin (clocks, deadline): a leader believes for the whole lease
  protocol/lease: attemptStart + leaseDuration[- - margin-]
wall-clock-looked-at-late (clocks, deadline): the watchdog looks again when the belief is over by the monotonic clock
  leader/watchdog: ([-remaining < longest ? remaining : longest-]{+remaining+})
work-scheduler-dropped (clocks, deadline): a fiber of the work that an answer calls goes on before the belief has been \
    looked at
  leader/work: [-scheduled(tenure), -]Span
anothers-tenure-ended (pauses, replay): a resignation ends whatever tenure stands
  storage/writes: if (leader._tag === "Held"[- && Protocol.isCurrent(leader, tenure)-]) {
evicted-too-soon (pauses, replay): a leader evicts who has not shown itself for a tenth of a candidate timeout
  protocol/registration: [-timeoutsUntilEviction * candidateTimeout-]{+candidateTimeout / 10n+};
evicted-though-it-beats (pauses, replay): a leader evicts who has written its record since it looked first
  protocol/registration: [-a.lastHeartbeat === b.lastHeartbeat && -]
claim-without-end (pauses, replay): a claim of a lapsed lease does not end the tenure in the history
  storage/writes: if ([-claim.ends !== undefined && ended !== undefined-]{+false+}) {
interruption-left-to-the-scheduler (pauses, deadline): the work is interrupted by a fiber that waits for the loss, and \
    goes on until that is scheduled
  leader/end: goes on.[-\n        this.interruptWork();-]
  leader/end: Deferred.doneUnsafe(this.losing, Effect.sync(() => this.toError()));\
    {+ Effect.runForkWith(context)(Effect.andThen(Effect.yieldNow, Effect.sync(() => this.interruptWork())));+}
belief-revived (pauses, deadline): a confirmation that comes when the belief is over brings it back
  leader/renewalLoop: [-if (!held)\n                return Effect.void;\n            -]this.tenure.renewed
  leader/renewalLoop: end, term } = this.tenure;\n        return Effect.flatMap([-end.check-]{+Effect.void+},
guard-without-check (pauses, deadline): the guard does not check the belief
  leader/guard: Effect.flatMap([-end.check, (held) => held-]{+Effect.void, () => true+}
no-watchdog (pauses, deadline): nobody watches the belief while a call to the database hangs
  leader/withLeadership: [-Effect.andThen(watched, whenOver)-]{+Effect.void+}
no-polling (pauses, liveness): a follower waits for its watches only
  follower/campaign: watches.during([-campaign.wait(round.success)-]{+Effect.never+})
lease-from-the-commit (network, beliefs): a leader counts its lease from the answer of the renewal, not from its start
  leader/renewalLoop: this.tenure.renewed([-attempt-]\
    {+{ monotonic: now(), wall: this.tenure.candidate.clock.currentTimeNanosUnsafe() }+}, lease, version);
ballot-not-observed (network, beliefs): a follower does not ask whether the lease was renewed
  protocol/takeover: [-observation.ballot === view.lease.ballot &&-]
observed-from-before-the-read (appointments, replay): a follower counts a lease from before the read that first showed it
  follower/look: Protocol.remember(before, view, [-readAt-]{+attempt.monotonic+})
belief-from-the-commit (network, beliefs): a leader counts its lease from the answer of its claim, not from its start
  follower/campaign: lease, since{+: { monotonic: at, wall: this.candidate.clock.currentTimeNanosUnsafe() }+}, \
    attempt, version
full-renewal-keeps-the-ballot (network, growth): a renewal on the full path does not count
  protocol/lease: _tag: "Renew", ballot: view.lease.ballot[- + 1n-]
guard-of-any-leader (network, guarded): the guard does not ask whether the tenure that stands is its own
  leader/guard: stored !== undefined[- && Bytes.equals(stored, record)-]
renewal-of-anothers (network, replay): a renewal does not ask whether the tenure that stands is its own
  protocol/lease: if ([-!isCurrent(view.leader, tenure)-]\
    {+false+})\n        return { _tag: "Refuse", because: "replaced" }
belief-extended (network, deadline): a renewal that fails extends the belief
  leader/renewalLoop: contact.failure();{+ const span = this.tenure.lease.duration; \
    const { clock, marginOf } = this.tenure.candidate; this.tenure.belief.confirm({ \
    monotonic: clock.monotonicTimeNanosUnsafe(), wall: clock.currentTimeNanosUnsafe() }, span, marginOf(span));+}
late-interruption (network, deadline): the work is interrupted a second after the leadership was lost
  leader/end: goes on.[-\n        this.interruptWork();-]
  leader/end: Deferred.doneUnsafe(this.losing, Effect.sync(() => this.toError()));\
    {+ Effect.runForkWith(context)(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => this.interruptWork())));+}
overrun-untold (network, deadline): a work that goes on when its lease has lapsed is not reported
  leader/work: if ([-overrunTold-]{+true+})
guard-at-a-lagging-version (network, reasons): the guard reads at a version that may lag, where the caller allows it
  leader/guard: [-{ ...options, causalReadRisky: false }-]{+options+}
guard-reads-the-lease (network, undisturbed): the guard conflicts with S("lease"), which every renewal writes
  leader/guard: {+Effect.andThen(tx.get(keys.lease), +}tx.get(keys.leader){+)+}
guard-on-a-snapshot (late, guarded): the guard reads S("leader") without conflict
  leader/guard: tx.{+snapshot.+}get(keys.leader)
request-overwritten (late, replay): a challenge replaces an operator's request
  protocol/challenge: [-(challenge.challenger !== undefined && -]challenge.priority < claimant.priority[-)-]
renewal-at-a-new-version (late, replay): a renewal in one round trip asks for a version, instead of taking that of the \
    last
  leader/renewal: [-yield* tx.setReadVersion(version.version);-]
resignation-at-a-new-version (late, replay): a resignation in one round trip asks for a version, instead of taking \
    that of the last renewal
  leader/end: Effect.andThen([-tx.setReadVersion(version.version)-]{+Effect.void+}, Writes.resignFast(
tenure-without-term (late, beliefs): a tenure is told from an earlier one of the same registration by nothing
  protocol/records: [-leader.term === tenure.term && -]sameIdentity
tenure-by-id (late, beliefs): a tenure is told from another by its leader's id alone
  protocol/records: [-leader.term === tenure.term && sameIdentity(leader, tenure)-]{+leader.id === tenure.id+}
old-vacancy (late, replay): a vacancy that a preferred successor is to have is counted from an earlier one
  protocol/following: [-memory.observation?.term === view.leader.term ? -]memory.vacantSince[- : undefined-]
replaced-not-looked-into (outages, replaced): a watch that fails because the database was replaced calls nobody
  candidate/watches: else [-if (!Option.exists(Cause.findErrorOption(exit.cause), (error) => !isTransient(error)))\
    \n            -]return;
replaced-not-lost (outages, replaced): a leader whose database was replaced tries again until its belief is over
  leader/renewalLoop: return [-Effect.andThen(-]told[-, end.lose("broken"))-];
own-tenure-by-id (operators, beliefs): a tenure stored under one's id is taken for one's own, whoever registered the id
  protocol/following: view.leader._tag === "Held" && [-sameIdentity(view.leader, me)-]{+view.leader.id === me.id+};
claim-while-disabled (operators, replay): followers do not ask whether the election is enabled
  protocol/following: [-if (!view.enabled)\n        return { _tag: "Follow", until: undefined };-]
  follower/look: if ([-!view.enabled || -]lifecycle.isClosing)
unregistered-goes-on (operators, replay): a candidate that was evicted goes on as if it were registered
  protocol/following: [-case "evicted":\n            return { _tag: "Register" };-]
low-challenge-obeyed (operators, replay): a challenge of a lower priority is obeyed
  protocol/challenge: return allowPreemption [-&& challenge.priority > leader.priority -]? "preempted" : undefined;
beat-without-conflict (operators, replay): a heartbeat does not conflict with its own record, and brings back what was \
    evicted
  candidate/registration: [-tx.addReadConflictKey(keys.candidate(me.id))-]{+Effect.void+}
superseded-goes-on (operators, replay): a candidate whose id another has registered goes on as if it were registered
  protocol/following: case "superseded":[-\n            return { _tag: "Superseded" };-]
deposes-who-lives (operators, replay): a superseded candidate does not wait until the other is gone or dead
  protocol/registration: [-view.candidate === undefined || now >= since + timeout-]{+true+};
beats-while-superseded (operators, replay): a superseded candidate that waits goes on beating
  follower/campaign: identity !== undefined && [-memory.current.supersededBy === undefined && -]!this.disabled
  follower/campaign: view.enabled[- && memory.current.supersededBy === undefined-])
obeyed-where-not-allowed (operators, replay): a challenge is obeyed where preemption is not allowed
  protocol/challenge: return [-allowPreemption && -]challenge.priority > leader.priority ?
challenge-where-not-allowed (operators, replay): a candidate challenges where preemption is not allowed
  protocol/challenge: if ([-!view.allowPreemption || -]leader._tag === "Vacant" ||
renewal-while-disabled (operators, replay): a renewal does not ask whether the election is enabled
  protocol/lease: [-if (!view.enabled && because !== "stepped-down")\
    \n        return { _tag: "Refuse", because: "disabled" };-]
registers-while-disabled (operators, replay): a candidate registers while the election is disabled
  storage/writes: yield* [-requireEnabled(keys, config);\n    yield* -]requireOf
  follower/campaign: registration.identity === undefined[- && !this.disabled-]
registration-without-conflict (operators, replay): a registration does not conflict with another of its id, and undoes \
    it when it comes late
  storage/writes: [-yield* tx.addReadConflictKey(keys.candidate(id));\n    -]const record
unregisters-another (operators, replay): a superseded candidate that leaves removes the record of the other
  candidate/registration: identity.id, [-identity-]{+{}+})
beat-at-a-new-version (operators, replay): a heartbeat asks for a version, instead of taking that at which its record \
    was seen
  candidate/registration: [-tx.setReadVersion(version)-]{+Effect.void+}.pipe(
quick-resignation-leaves-challenge (operators, replay): a resignation in one round trip leaves a challenge that asks \
    nothing of the leader
  storage/writes: [-yield* tx.clear(keys.challenge);\n    -]if (leaves)
renewal-without-identity (operators, registered): a renewal does not ask whose tenure it is
  protocol/lease: if ([-!isCurrent(view.leader, tenure)-]\
    {+false+})\n        return { _tag: "Refuse", because: "replaced" }
  protocol/lease: const registered = [-registrationStatus(view, tenure)-]{+"registered"+};
leader-evicted (operators, registered): eviction spares nobody
  operations: [- && !isLeader(candidate)-]
renewal-unregistered (operators, registered): a renewal does not ask whether its candidate is still registered
  protocol/lease: const registered = [-registrationStatus(view, tenure)-]\
    {+"registered"+};\n    if ([-registered !== "registered"-]{+false+})
old-challenge-obeyed (operators, reasons): a challenge to another term is obeyed
  protocol/challenge: challenge === undefined[- || challenge.term !== leader.term-])\n        return undefined;
unknown-commit-retried (changes, counter): a commit of unknown outcome is retried though the caller has not said that \
    it is idempotent
  core/retry: error.retryable[- && (!error.maybeCommitted || options.idempotent === true)-]
shortened-without-limit (changes, beliefs): a renewal that shortens the lease does not limit the belief before it is \
    confirmed
  leader/renewal: [-yield* limitBelief(tenure, attempt, view.leaseDuration);-]
takeover-by-configured-lease (changes, beliefs): a follower waits for the lease that is configured, not for the one \
    that is stored
  protocol/takeover: now >= [-lapsesAt(observation)-]{+observation.since + view.leaseDuration+};
  protocol/following: [-memory.observation === undefined ? undefined : lapsesAt(memory.observation) + delay-]{+undefined+}
configuration-without-renewals (changes, replay): a write of the configuration does not conflict with a renewal of the \
    same version
  storage/writes: [-yield* tx.addReadConflictKey(keys.lease);-]\n
claim-keeps-the-lease (changes, replay): a claim is written for the lease that is stored, not for the one that is \
    configured
  storage/writes: duration: view.[-leaseDuration-]{+lease.duration+}, expiry: now + view.leaseDuration };\
    \n    yield* add
step-down-without-renewals (changes, replay): a request to step down does not conflict with a renewal of the same \
    version
  operations: const [, leader, lease, challenge] = yield* Reads.readAll(tx{+.snapshot+}, [
registration-without-configuration (changes, replay): a registration does not conflict with the configuration
  storage/writes: const config = yield* Reads.read(tx{+.snapshot+}, Reads.config(keys));\n    yield* requireEnabled
limit-told-only (changes, deadline): a belief that is limited before the lease is shortened is told to be, and is not
  leader/renewal: [-belief.limit(attempt, leaseDuration, marginOf(leaseDuration));-]
limit-seen-late (changes, deadline): a belief that is limited is looked at when the watchdog looks again, which may be \
    after its end
  leader/watchdog: if ([-watched !== undefined-]{+false+})
disabled-lost-at-once (changes, reasons): a leader of an election that is disabled loses its tenure at once, though \
    that may pass
  leader/renewalLoop: [-if (because !== "disabled")\n-]
challenger-that-cannot-lead (changes, able): that its margin does not fit the lease is found out when a candidate claims
  follower/look: step._tag === "[-Challenge" || step._tag === "-]Claim"
  candidate/registration: id, priority, [-able-]{+undefined+}, calls)
rounded-token (deployments, sink): the fencing token that the work is given is rounded down
  leader/withLeadership: term: tenure.term{+ - tenure.term % 64n+},\n    state:
held-counted-as-vacant (deployments, replay): a vacancy is counted from before there was one
  protocol/following: [-view.leader._tag === "Held" ? undefined : -]since ?? readAt
delay-asked-once (deployments, replay): a candidate asks once how long to wait, and not for each leader
  follower/look: memory.challenges[-?.term === term-]{+ !== undefined+})
any-that-lasted-ends-the-row (deployments, replay): any tenure that has lasted ends the row of failed preemptions
  protocol/challenge: if (lasted[- && (preempted || leaderId === id)-])
resigning-is-no-failure (deployments, replay): a preemption whose winner has resigned at once has not failed
  protocol/challenge: ([-reason === "resigned" || -]reason === "expired" || reason === "died")
crash-is-no-failure (deployments, replay): a preemption whose winner has crashed has not failed
  protocol/challenge: [-(-]reason === "resigned"[- || reason === "expired" || reason === "died")-]
preference-ignored (deployments, replay): a vacancy is not left to the preferred successor
  protocol/following: [-preferred === undefined ? me.isStandby === true : !sameIdentity(preferred, me)-]{+false+}
renewal-despite-challenge (deployments, replay): a leader that has been challenged goes on renewing
  protocol/lease: const because = [-stepDownReason(view)-]{+undefined+};
challenge-without-delay (deployments, replay): a challenger does not wait after preemptions that have failed
  protocol/challenge: [-failed === 0 ? 0n :-]{+0n &&+} lease << BigInt(
preempts-at-once (deployments, replay): a candidate of a higher priority claims a live lease
  protocol/following: preempt: [-false-]{+true+}
equals-challenge (deployments, replay): a candidate of the same priority challenges
  protocol/challenge: claimant.priority <[-=-] leader.priority)
better-challenge-overwritten (deployments, replay): a challenge replaces one of a higher priority
  protocol/challenge: [-(-]challenge.challenger !== undefined[- && challenge.priority < claimant.priority)-]
successor-forgotten (deployments, replay): a leader that yields to a challenger does not prefer it
  protocol/lease: [-view.challenge?.challenger-]{+undefined+} : undefined
preempted-as-resigned (deployments, replay): a leader that yields to a challenger is told to have resigned
  protocol/lease: reason: asked {+=== "preempted" ? "resigned" : asked +}??
relinquishes-anothers (deployments, replay): whoever is interrupted in its claim ends whatever tenure stands
  storage/writes: if (leader._tag === "Vacant"[- || !sameIdentity(leader, me)-])
claim-leaves-challenge (deployments, replay): a claim leaves the challenge of the tenure before
  storage/writes: yield* writeHeartbeat(tx, keys, claimant, claimant.priority, now);\
    [-\n    if (view.challenge !== undefined)\n        yield* tx.clear(keys.challenge);-]
resignation-leaves-challenge (deployments, replay): a resignation leaves the challenge that it answers
  storage/writes: [-if (challenge !== undefined)\n        yield* tx.clear(keys.challenge);\n    -]if (tenure
resignation-before-finalizers (deployments, ending): the tenure is ended as soon as it is lost, while finalizers still \
    run
  leader/withLeadership: yield* following.cancel;\
    {+ yield* Effect.forkIn(Effect.andThen(tenure.end.lost, Effect.suspend(() => tenure.end.writeVacancy())), scope);+}
finalizers-not-awaited (deployments, ending): whoever interrupts a work does not wait for its finalizers
  leader/work: [-if (Exit.hasInterrupts(waited))\n            yield* Fiber.interrupt(working);-]
  leader/work: [-Effect.suspend(() => working === undefined ? \
    Effect.void : Effect.asVoid(Fiber.interrupt(working)))-]{+Effect.void+}
vacancy-anew-with-each-look (deployments, liveness): a vacancy that is left to a preferred successor is counted from \
    each look anew
  protocol/following: [-since ?? -]readAt,
scope-of-the-caller (deployments, scopes): what a work acquires and forks in its scope belongs to its caller
  leader/work: [-Effect.scoped(-]supervised[-)-]
joint-renewal-of-the-challenged (many, replay): a joint renewal does not ask whether a member has to step down
  leader/renewal: write(renewable, [-views[i]-]{+Result.map(views[i], (view) => renewables.length > 1 ? \
    { ...view, challenge: undefined } : view)+}, attempt)
outcome-of-another (many, growth): what came of the renewal of one member is told to another
  leader/renewalLoop: result.success[-[i]-]{+.at(-1 - i)+}
failed-beat-not-repeated (many, apart): a beat that one of its members has kept from being made is not made before the next
  leader/renewalLoop: if ([-Result.isSuccess(-]yield* attemptFast(members, isPresent)[-)-])
slots-all-admitted (slots, slots): a candidate may claim one slot while it claims another
  slots/slotAdmission: const isFree = [-this.claimed === undefined || this.claimed === slot-]{+true+};
  slots/slotCandidate: if (choice !== undefined{+ && false+})
owner-does-not-give (shards, balance): an owner goes on leading a shard that the table gives to another
  shards/holdings: [-holding.fiber?.interruptUnsafe();-]
shards-without-regard (shards, moves): the next table does not regard who owns the shards, and is written now and then
  shards/coordinator: Assignment.sameAssignment(stored, proposed){+ && now / heartbeat % 16n > 0n+}
  shards/coordinator: const next = assign([-stored === undefined ? { ...former, owners: leaders } : Assignment.asLed(stored, leaders)-]\
    {+{ ...former, owners: leaders.map((_, shard) => leaders[(shard + 1) % shards]) }+});
table-without-guard (shards, guarded): the table of shards is written by whoever was the coordinator
  shards/coordinator: import { Bytes, {+Database, +}Transaction }
  shards/coordinator: [-this.leadership.guard-]{+Database.transact+}(this.look(hasGathered)
second-candidacy (shards, ending): a shard that is given back is campaigned for anew before its first candidacy has ended
  shards/holdings: .filter(([shard]) => [-!this.holdings.has(shard)-]{+this.holdings.get(shard)?.role === undefined+})
  shards/holdings: if ([-!this.holdings.has(shard)-]{+this.holdings.get(shard)?.role === undefined+})\n
group-keeps-who-is-superseded (operators, replay): who was superseded goes on looking together with others
  follower/steady: if (step._tag !== "Follow"{+ && step._tag !== "Superseded"+} || !isLed(view)
group-observes-from-before-the-read (network, beliefs): followers that look together count a lease from before the read
  follower/steady: const readAt = [-now()-]{+attempt.monotonic+};
group-without-beats (many, heartbeats): followers that look together do not show that they live
  follower/steady: if ([-isDue(staying)-]{+false+})
deaths-wake-nobody (witnesses, takeover): a follower that is told of a death goes on sleeping
  follower/campaign: [-this.watches.alert();-]\n    };
death-of-an-id (witnesses, replay): the death of a candidate is taken for that of a later one of its id
  candidate/witnessed: Testimony.make(this.election, id, [-registration-]{+{ toString: () => "0".repeat(24) }+});
death-of-another (witnesses, replay): the death of any candidate is taken for that of the leader
  follower/look: const died = view.leader._tag === "Held" && [-witnessed.hasDied(view.leader)-]{+witnessed.dead+};
  candidate/witnessed: return [-this.witness === undefined ? Effect.void : -]this.witness[-.onDeath(this.election, listener)-]\
    {+?.onDeath(this.election, () => { this.dead = true; listener(); }) ?? Effect.void+};
death-told-as-lapse (witnesses, replay): that a leader was witnessed to have died is told as the lapse of its lease
  protocol/takeover: ends: { term: view.leader.term, reason: "[-died-]{+expired+}" } };\n    if (judgement.lapsed)
frozen-taken-for-dead (witnesses, replay): a process that does not answer is taken for dead
  simulation/SimulatedWitness: return {+this.process.isFrozen || +}!this.process.isAlive
goodbye-taken-for-death (witnesses, replay): a process that closes its witness is taken for dead
  simulation/SimulatedWitness: connection.hasEnded = true;\n                [-connection.told.clear()-]{+connection.to.hears(connection.told)+};
raise-without-conflict (appointments, replay): terms are raised without a conflict with renewals
  storage/writes: const tx = yield* Transaction;\n    const [, lease] = yield* Reads.readAll(tx{+.snapshot+}, [
raise-lowers (operators, replay): terms are raised to less than they are
  storage/writes: [-if (lease.ballot >= above)\n        return lease.ballot;-]
appointed-from-the-look (appointments, beliefs): the belief of the appointed counts from the look that shows the appointment
  follower/look: priority } }, tx, { attempt, [-memory: { lookedAt }-]{+attempt: lookedAt+}, view }, leader)
appointed-for-the-whole-lease (appointments, beliefs): the appointed believes for the lease of the election, and not for its own
  follower/look: return { cause, leader, lease{+: { ...lease, duration: leaseDuration }+}, since: lookedAt
own-tenure-adopted (appointments, growth): any tenure of its own is taken for an appointment
  protocol/appointment: [-leader.appointedBy !== undefined && lease.ballot === leader.term &&\n    (led === undefined || led < leader.term)-]{+true+};
appointment-without-conflict (appointments, replay): an appointment does not conflict with the leaving of who is appointed
  storage/writes: [-yield* tx.addReadConflictKey(keys.call(id));\n        -]yield* writeCall(tx, keys, id, { term
appoints-while-disabled (appointments, replay): a leader of a disabled election appoints
  storage/writes: const isVacated = [-!config.electionEnabled || -](successor
appoints-past-the-challenger (deployments, replay): a leader that yields to a challenger appoints whoever is next in line
  storage/writes: Protocol.toCall(Protocol.line(ordered, seenAt, heartbeat), [-challenger-]{+undefined+}, hasDied);
appointed-not-called (calm, handover): the appointed is not called, and finds its tenure when it looks next
  storage/writes: (nominee) => !hasDied(nominee)) : called{+.slice(1)+};
leaves-while-leading (everything, registered): a candidate removes its record while its tenure stands
  storage/writes: yield* [-resignIfLeading(keys, yield* -]identify(id, candidate, options)[-)-];
raise-changes-the-lease (changes, beliefs): raised terms begin with a lease of the configured duration, not of the stored one
  storage/writes: const [[-, -]{+config, +}lease] = yield* Reads.readAll(tx, [Reads.config(keys), Reads.lease(keys)]);\n    if (lease.ballot >= above)
  storage/writes: const raised = Codec.encodeLease({ ...lease, {+duration: Duration.toNanosUnsafe(config.leaseDuration), +}ballot: above });
adopted-without-renewal (calm, handover): a tenure that is led as it was appointed is not renewed at once
  leader/renewalLoop: if ([-tenure.isToBeRenewed-]{+false+})
  leader/renewal: "Refuse" ||\n            [-view.leaseDuration !== tenure.lease.duration || -]view.candidate
only-the-appointed-called (calm, handover): those that take over from an appointed one that is dead are not called
  storage/writes: (nominee) => !hasDied(nominee)) : called{+.slice(0, 1)+};
group-sleeps-over-the-lapse (witnesses, takeover): followers that look together wake for their next look, not for the lapse of a lease
  follower/steady: until !== undefined && until < least{+ && false+} ? until : least
challenges-what-it-has-left (operators, replay): who has stepped down challenges its successor within the heartbeat
  protocol/following: memory.challenges.from : 0n, [-memory.yieldsUntil ?? -]0n);
standby-leaves-what-was-asked-for (shards, handover): a standby leaves a shard to the owner that was asked to step down
  protocol/following: const isAskedFor = [-tenure?.term === term && tenure.reason === "stepped-down"-]{+false+};
adopted-twice (leader-election/Handover "is led once, though its lease goes on"): an appointment is \
    accepted again by who has lost it
  protocol/appointment: lease.ballot === leader.term[- &&\n    (led === undefined || led < leader.term)-]
clocks-not-compared (simulation/Simulation "the appointed believed in itself though its wall clock had been set back"): an \
    appointment is adopted though the wall clock was set back since
  protocol/appointment: left > 4n * took[- && apart <= resolution && apart >= -resolution-]
appointed-from-the-heartbeat (leader-election/Handover "begins a belief that counts from before the heartbeat"): the belief of the \
    appointed counts from the look at the version of a heartbeat, not from before that
  follower/look: consider(candidate, view, attempt, [-beat?.sentAfter ?? -]attempt, now())
  follower/steady: const lookedAt = [-at === undefined ? attempt : sentAfter-]{+attempt+};
group-at-several-versions (leader-election/FollowingTogether "whose records were seen at different versions"): followers whose records were seen at several \
    versions write them at one
  follower/steady: seenAt !== undefined && isDue(followers)[- &&\n        registrations.every((registration) => registration.seenAt?.version === seenAt.version)-]
joint-renewal-at-several-versions (leader-election/Together "that were last written at different versions are read"): \
    tenures that were last written at several versions are renewed at one
  leader/renewalLoop: tenure.isFresh[- && tenure.version.version === version-] && watches.isWatching
claimed-too-late (leader-election/Claiming "whose commit took longer than its lease is no leadership"): a claim leads \
    though its belief was over when it was confirmed
  leader/withLeadership: if (yield* Effect.onError([-check-]{+Effect.succeed(true)+}, () => complete))
interrupted-claim-left (leader-election/Campaigning "leaves no tenure behind, though the outcome of its claim was not told"): \
    an interrupted campaign leaves a tenure that it may have claimed
  leader/withLeadership: const mayLead = [-lifecycle.mayHaveClaimed || -](registration.isCalled
request-unheard-while-disabled (leader-election/StepDown "is answered at once in a disabled election, too"): a leader of a \
    disabled election is deaf to an operator
  protocol/lease: if (!view.enabled[- && because !== "stepped-down"-])
evicted-by-the-first-sight (leader-election/Eviction "spares who has come back in time"): a leader judges by what it saw \
    first, whenever it looks again
  leader/eviction: [-sightings.keep(sighting);-]{+if (sightings.last === undefined) sightings.keep(sighting);+}\n        return [alone
evicted-for-disabled-time (leader-election/Eviction "does not count the time for which the election was disabled when it looked"): \
    the time of a disabled election counts as silence
  leader/eviction: candidates: [-electionEnabled ? -]pages[i].candidates[- : []-],
eviction-without-conflict (leader-election/Eviction "spares who shows itself while it evicts"): an eviction by the leader \
    does not conflict with a heartbeat
  leader/eviction: [-yield* tx.addReadConflictKey(keys.candidate(id));\n            -]yield* Writes.clearCandidate
evicted-without-grace (leader-election/Eviction "gives those time to show themselves whom it saw in an earlier tenure"): \
    who was seen in an earlier tenure is given no time to show itself
  leader/eviction: const shown = now() + [-2n * (last?.timeout ?? 0n)-]{+0n+};
evicted-by-an-old-timeout (leader-election/Eviction "waits for ten of the candidate timeouts that are in force"): a leader \
    waits for the candidate timeout that was in force when it looked first
  leader/eviction: const due = at[- + Protocol.evictionDelay(Duration.toNanosUnsafe(config.candidateTimeout))-];
operator-evicts-without-conflict (leader-election/internal/storage/sharedVersions "of which one is a follower's heartbeat, and the other writes its record"): \
    an eviction by an operator does not conflict with a heartbeat
  operations: [-tx.addReadConflictKey(keys.candidate(id))-]{+Effect.void+}.pipe(Effect.andThen(Writes.clear
`

const patch = (line: string): Patch => {
  const [, from, file = "", text = ""] = /^(?:(core|simulation)\/)?(\S+): (.+)$/.exec(line) ?? []
  const pick = (dropped: RegExp, kept: RegExp) => text.replace(dropped, "").replace(kept, "$1").replaceAll("\\n", "\n")
  const removed = /\[-(.*?)-\]/g
  const added = /\{\+(.*?)\+\}/g
  return {
    package: from === "core" || from === "simulation" ? `@effect-fdb/${from}` : "@effect-fdb/leader-election",
    // What processes are told by their kernel is a part of the simulation.
    file: from === "simulation" ? `${file}.js` : `internal/${file}.js`,
    find: pick(added, removed),
    replace: pick(removed, added)
  }
}

const noticedBy = (text: string): ByChecker | ByTest | undefined => {
  const [, shown, checker] = /^(\S+), (\S+)$/.exec(text) ?? []
  const profile = Profile.names.find((name) => name === shown)
  if (profile !== undefined && checker !== undefined) return { checker, profile }
  const [, folder, file, test] = /^([\w-]+)\/(\S+) "(.+)"$/.exec(text) ?? []
  return test === undefined ? undefined : { test, file: `packages/${folder}/test/${file}.test.ts` }
}

/** All of them; and for every checker one that it alone notices. */
export const all: ReadonlyArray<Mutant> = table.replaceAll(/\\\n +/g, "").trim().split(/\n(?! )/).map((entry) => {
  const [head = "", ...edits] = entry.split("\n  ")
  const [, name = "", by = "", wrong = ""] = /^(\S+) \((.+?)\): (.+)$/.exec(head) ?? []
  const noticing = noticedBy(by)
  if (noticing === undefined) throw new Error(`no mutant: ${head}`)
  return { name, wrong, patches: edits.map(patch), noticedBy: noticing }
})
