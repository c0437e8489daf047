/** The transition of the protocol that each commit is, or why it is none. This states the rules again, by the stored records. */
import { second } from "../EventScheduler.ts"
import type { Analysis } from "./analysis.ts"
import { type Entry, holderOf, invalid, type State } from "./ledger.ts"

/** The transitions of the stored state. */
export const stored = [
  "initialize",
  "register",
  "register-again",
  "supersede",
  "heartbeat",
  "unregister",
  "unregister-leading",
  "claim-first",
  "claim-vacant",
  "claim-preferred",
  "claim-lapsed",
  "claim-died",
  "claim-own",
  "renew",
  "renew-other-lease",
  "resign",
  "resign-preempted",
  "resign-stepping-down",
  "appoint",
  "appoint-challenger",
  "challenge",
  "challenge-higher",
  "request-step-down",
  "raise-terms",
  "evict",
  "evict-dead",
  "configure",
  "disable",
  "enable",
  "spoil-or-repair"
] as const

/** See {@link stored}. `trim` is optional: it needs a hundred tenures, which few histories have. */
type Transition = typeof stored[number] | "trim"

type Verdict = { readonly transition: Transition } | { readonly illegal: string }

const legal = (transition: Transition): Verdict => ({ transition })
const illegal = (reason: string): Verdict => ({ illegal: reason })

/** The time in which the fastest clock of a process advances by a duration, in nanoseconds. */
const shortest = (nanos: bigint | number): number => Number(nanos) / 1.04

/** The longest time after a change of the configuration at which a commit under way may be applied, in nanoseconds. */
const underWay = 20 * second

/** The number of tenures that the history must keep. */
const kept = 100

/** What the commits before have shown. Instants are nanoseconds of simulated time. */
const makePast = () => ({
  /** All registrations so far, and the processes that have registered. */
  known: new Set<string>(),
  registrars: new Set<string>(),
  /** The last write of each candidate's record. */
  lastWritten: new Map<string, number>(),
  /** Since when the lease is as it is. */
  lease: { ballot: -1n, duration: 0n, since: Number.NEGATIVE_INFINITY },
  /** When the configuration was written last, and since when the election is disabled. */
  configuredAt: Number.NEGATIVE_INFINITY,
  disabledAt: undefined as number | undefined,
  /** The last vacancy, and since when. */
  vacancy: { term: -1n, since: 0 },
  /** Since when a leader leads, if its configuration has been the same since. */
  leads: undefined as number | undefined
})

type Past = ReturnType<typeof makePast>

/** The challenge for which the leader has to step down. */
export const stepDownReason = (state: State): "preempted" | "stepped-down" | undefined => {
  const { challenge, config } = state
  const leader = holderOf(state)
  if (typeof challenge !== "object" || typeof config !== "object" || challenge.term !== leader?.term) return undefined
  if (challenge.challenger === undefined) return "stepped-down"
  return config.preemption && challenge.priority > leader.priority ? "preempted" : undefined
}

/** Whether an operator has written a lease that decodes, and nothing else. */
const isRaise = ({ after, before, written }: Entry): boolean =>
  written.size === 1 && written.has("lease") && typeof before.lease === "object" && typeof after.lease === "object"

const byOperator = (entry: Entry): Verdict => {
  const { after, before, candidates, written } = entry
  if (before.config === undefined && written.has("config")) return legal("initialize")
  if (written.has("config") && typeof before.config === "object" && typeof after.config === "object") {
    if (before.config.enabled === after.config.enabled) return legal("configure")
    return legal(after.config.enabled ? "enable" : "disable")
  }
  if (written.has("challenge") && typeof after.challenge === "object" && after.challenge.challenger === undefined) {
    return legal("request-step-down")
  }
  if (isRaise(entry)) {
    const [was, is] = [before.lease, after.lease] as const
    if (typeof was !== "object" || typeof is !== "object") return illegal("raises terms over damaged records")
    return is.ballot > was.ballot && is.duration === was.duration
      ? legal("raise-terms")
      : illegal("raises terms, and lowers the ballot or changes the lease")
  }
  if (written.has("leader") && written.has("lease") && typeof after.leader === "object" && !after.leader.held) {
    return illegal("ends a tenure in the name of an older one")
  }
  const removes = candidates.size > 0 && [...candidates].every((id) => after.candidates.get(id) === undefined)
  return legal(removes ? "evict" : "spoil-or-repair")
}

const ofCandidate = (
  { after, before, candidates, commit }: Entry,
  analysis: Analysis,
  { configuredAt, disabledAt, known, lastWritten, registrars }: Past
): Verdict => {
  const { at, by } = commit
  const [id] = candidates
  if (id === undefined || candidates.size > 1) return illegal("writes the records of several candidates")
  const was = before.candidates.get(id)
  const is = after.candidates.get(id)
  if (is === undefined) return legal("unregister")
  if (was === invalid) {
    const isNew = typeof is === "object" && !known.has(is.registration)
    return isNew ? legal("supersede") : illegal(`writes over the damaged record of "${id}"`)
  }
  if (is === invalid) return illegal("writes a record that does not decode")
  if (was?.registration === is.registration) {
    return disabledAt === undefined || at < disabledAt + underWay
      ? legal("heartbeat")
      : illegal("writes a heartbeat though the election has been disabled for long")
  }
  if (known.has(is.registration)) {
    if (was === undefined) return illegal(`brings back the registration of "${id}", which was removed`)
    return illegal(`brings back a registration of "${id}" that had been superseded`)
  }
  if (typeof before.config === "object" && !before.config.enabled) return illegal("registers while disabled")
  if (was === undefined) return legal(registrars.has(by) ? "register-again" : "register")
  const all = analysis.processes.get(by)?.events ?? []
  // Those of its candidacy: where a campaign ends in one of several elections, its process makes another.
  const events = all.slice(all.findLastIndex((event) => event.what === "campaign-ends" && event.at < commit.sentAt) + 1)
  // A shard that is given back to a process is led by another candidacy of it. Who has left the elections of slots may have left its
  // record there, where the database did not answer.
  const { as = "elections" } = analysis.history.scenario.elections ?? {}
  // At the commit, not when it was sent: a late commit has to conflict.
  const knowsOwn = events.some((event) =>
    event.at < at && event.what === "registered" && event.details.registration === was.registration
  )
  if (as === "elections" && knowsOwn && analysis.owners.get(was.registration) === by) {
    return illegal("supersedes its own registration")
  }
  const timeout = typeof before.config === "object" ? shortest(before.config.candidateTimeout) : 0
  const status = events.findLast((event) => event.at < commit.sentAt && /^(superseded|registered)$/.test(event.what))
  return as !== "shards" && status?.what === "superseded" && configuredAt < at - underWay &&
      (lastWritten.get(id) ?? 0) > at - timeout
    ? illegal(`takes "${id}" back from who lives`)
    : legal("supersede")
}

/** How many tenures of the history a challenger considers. */
const tenuresConsidered = 32

/** The number of failed preemptions in a row before the challenged leader. */
const failedPreemptions = ({ history, lease }: State, challenger: string, renewalsInLease: bigint): number => {
  const terms = [...history.keys()].toSorted((a, b) => (a < b ? 1 : -1)).slice(0, tenuresConsidered)
  let failed = 0
  for (const [i, term] of terms.entries()) {
    const tenure = history.get(term)
    const before = history.get(terms[i + 1] ?? -1n)
    if (typeof tenure !== "object" || typeof lease !== "object") return 0
    const renewals = (i === 0 ? lease.ballot : terms[i - 1]! - 1n) - term
    const preempted = typeof before === "object" && before.reason === "preempted"
    if (renewals > renewalsInLease && (preempted || tenure.leader === challenger)) return failed
    if (renewals <= renewalsInLease && preempted && ["resigned", "expired", "died"].includes(tenure.reason ?? "")) {
      failed++
    }
  }
  return failed
}

const ofChallenge = (
  { after: { challenge }, before, commit }: Entry,
  { processes }: Analysis,
  { configuredAt, leads }: Past
): Verdict => {
  const { config, leader } = before
  if (typeof challenge !== "object") return illegal("removes or damages a challenge")
  if (typeof config !== "object" || typeof leader !== "object") return illegal("challenges over damaged records")
  if (!config.enabled) return illegal("challenges while disabled")
  if (!leader.held || challenge.term !== leader.term) return illegal("challenges a tenure that does not stand")
  if (challenge.challenger === undefined) return illegal("asks the leader to step down without being an operator")
  if (!config.preemption || challenge.priority <= leader.priority) {
    return illegal("challenges without a higher priority")
  }
  const last = processes.get(commit.by)?.events.findLast(({ at, what }) =>
    at < commit.sentAt && (what === "lost" || what === "elected")
  )
  const yields = last?.details.reason === "stepped-down" && commit.at < last.at + shortest(config.heartbeat)
  if (yields && configuredAt < commit.at - underWay) {
    return illegal("challenges within a heartbeat after it was asked to step down")
  }
  const failed = failedPreemptions(before, challenge.challenger.id, config.lease / config.heartbeat + 1n)
  const backOff = failed === 0 ? 0 : shortest(0.8 * Number(config.lease) * 2 ** Math.min(failed - 1, 6))
  if (leads !== undefined && failed > 0 && commit.at < leads + backOff) {
    return illegal("challenges too soon after preemptions that have failed")
  }
  if (typeof before.challenge !== "object" || before.challenge.term !== leader.term) return legal("challenge")
  if (before.challenge.challenger === undefined) return illegal("replaces an operator's request")
  if (before.challenge.priority >= challenge.priority) return illegal("replaces a challenge that is as good")
  return legal("challenge-higher")
}

/** Writes to the history alone. */
const ofHistory = ({ after: { history }, tenures }: Entry): Verdict => {
  for (const term of tenures) {
    if (history.has(term)) return illegal("rewrites the history")
    if (history.size < kept || [...history.keys()].some((left) => left < term)) {
      return illegal("removes what the history has to keep")
    }
  }
  return legal("trim")
}

/** The tenure that begins in the commit of a resignation. */
const ofAppointment = (
  { after: { history, lease }, before: { candidates, config } }: Entry,
  { appointedBy, term, who }: NonNullable<ReturnType<typeof holderOf>>,
  was: NonNullable<ReturnType<typeof holderOf>>,
  ballot: bigint,
  challenger: { readonly registration: string } | undefined
): Verdict => {
  if (typeof config !== "object" || !config.enabled) return illegal("appoints while disabled")
  if (appointedBy?.registration !== was.who.registration) return illegal("appoints in the name of another")
  if (typeof lease !== "object" || lease.ballot !== term || term !== ballot + 1n) {
    return illegal("appoints for another term")
  }
  if (lease.duration > config.lease || lease.duration > config.heartbeat * 9n / 10n) {
    return illegal("appoints for too long")
  }
  if (who.registration === was.who.registration) return illegal("appoints itself")
  const candidate = candidates.get(who.id)
  if (typeof candidate !== "object" || candidate.registration !== who.registration) {
    return illegal(`appoints "${who.id}", which is not registered`)
  }
  const begun = history.get(term)
  if (typeof begun !== "object" || begun.leader !== who.id || begun.ended) {
    return illegal("appoints without an entry in the history")
  }
  if (challenger !== undefined && challenger.registration !== who.registration) {
    return illegal("appoints another than the challenger")
  }
  return legal(challenger === undefined ? "appoint" : "appoint-challenger")
}

/** Writes to S("leader") or S("lease"). */
const ofLeadership = (entry: Entry, { owners, processes }: Analysis, past: Past): Verdict => {
  const { after, before, candidates, commit: { at, by }, written } = entry
  const { configuredAt, vacancy } = past
  const { leader, lease } = after
  const { challenge, config, leader: was } = before
  if (typeof config !== "object") return illegal("decides without a configuration that decodes")
  if (typeof was !== "object" || typeof before.lease !== "object") return illegal("decides over damaged records")
  if (typeof leader !== "object" || typeof lease !== "object") return illegal("leaves records that do not decode")
  if (challenge === invalid) return illegal("decides over a damaged challenge")
  if (!written.has("lease")) return illegal("writes the leader without the lease")
  const isAppointed = written.has("leader") && leader.held && leader.appointedBy !== undefined
  if (leader.held && !isAppointed && !candidates.has(leader.who.id)) {
    return illegal("leads without showing that it lives")
  }
  const reason = stepDownReason(before)

  if (!written.has("leader")) {
    if (!was.held) return illegal("renews a vacancy")
    if (owners.get(was.who.registration) !== by) return illegal(`renews the lease of "${was.who.id}"`)
    if (!config.enabled) return illegal("renews while disabled")
    if (reason !== undefined) return illegal(`renews though it has to go (${reason})`)
    if (lease.duration !== config.lease) return illegal("renews for another time than is configured")
    return legal(lease.duration === before.lease.duration ? "renew" : "renew-other-lease")
  }

  if (!leader.held || isAppointed) {
    if (!was.held) return illegal("resigns from a vacancy")
    if (owners.get(was.who.registration) !== by) return illegal(`resigns for "${was.who.id}"`)
    if (!leader.held && leader.term !== was.term) return illegal("changes the term in resigning")
    if (after.challenge !== undefined) return illegal("resigns and leaves the challenge")
    const tenure = after.history.get(was.term)
    if (typeof tenure === "object" && tenure.reason !== (reason ?? "resigned")) {
      return illegal(`resigns as ${tenure.reason}, not as ${reason ?? "resigned"}`)
    }
    const successor = reason === "preempted" ? challenge?.challenger : undefined
    if (!leader.held && leader.successor?.registration !== successor?.registration) {
      return illegal("prefers the wrong successor")
    }
    for (const id of candidates) {
      const removed = before.candidates.get(id)
      if (typeof removed === "object" && removed.registration !== was.who.registration) {
        return illegal(`resigns and removes another registration of "${id}"`)
      }
    }
    if (leader.held) return ofAppointment(entry, leader, was, before.lease.ballot, successor)
    if (candidates.size > 0) return legal("unregister-leading")
    if (reason === undefined) return legal("resign")
    return legal(reason === "preempted" ? "resign-preempted" : "resign-stepping-down")
  }

  if (owners.get(leader.who.registration) !== by) return illegal(`claims for "${leader.who.id}"`)
  if (!config.enabled) return illegal("claims while disabled")
  if (after.challenge !== undefined) return illegal("claims and leaves the challenge")
  if (lease.duration !== config.lease) return illegal("claims for another time than is configured")
  const begun = after.history.get(leader.term)
  if (typeof begun !== "object" || begun.leader !== leader.who.id || begun.ended) {
    return illegal("claims without an entry in the history")
  }
  if (was.held) {
    const ended = after.history.get(was.term)
    const reason = typeof ended === "object" ? ended.reason : undefined
    if (reason !== undefined && reason !== "expired" && reason !== "died") {
      return illegal("claims without ending the old tenure")
    }
    if (was.who.registration === leader.who.registration) return legal("claim-own")
    const claimant = processes.get(by)
    const former = processes.get(owners.get(was.who.registration) ?? "")
    const hasDied = former !== undefined && former.died <= at
    if (reason === "died") {
      if (!hasDied) return illegal(`claims as if "${was.who.id}" had died, which lives`)
      return claimant?.machine === undefined || claimant.machine !== former.machine
        ? illegal(`claims as if it were told that "${was.who.id}" has died, on another machine`)
        : legal("claim-died")
    }
    return at < past.lease.since + shortest(past.lease.duration)
      ? illegal(`claims the lease of "${was.who.id}" before it can have lapsed`)
      : legal("claim-lapsed")
  }
  const isReserved = at < vacancy.since + shortest(config.heartbeat)
  const obeyed = processes.get(by)?.events.some(({ details, what }) =>
    what === "lost" && details.reason === "stepped-down" && details.term === was.term
  )
  if (obeyed && vacancy.term === was.term && configuredAt < vacancy.since - underWay && isReserved) {
    return illegal("claims within a heartbeat what it was asked to leave")
  }
  if (was.term === 0n && before.history.size === 0) return legal("claim-first")
  if (was.successor === undefined) return legal("claim-vacant")
  if (was.successor.registration === leader.who.registration) return legal("claim-preferred")
  return isReserved
    ? illegal(`claims what was left to "${was.successor.id}" within a heartbeat`)
    : legal("claim-vacant")
}

/** The removal of other candidates by a leader. Their records must be older than ten candidate timeouts. */
const ofEviction = (
  { after, before, candidates, commit: { at, by } }: Entry,
  { owners }: Analysis,
  { lastWritten }: Past
): Verdict | undefined => {
  const { config } = before
  const isOther = (id: string) => {
    const was = before.candidates.get(id)
    return typeof was === "object" && owners.get(was.registration) !== by
  }
  if (![...candidates].every((id) => after.candidates.get(id) === undefined && isOther(id))) return undefined
  if (owners.get(holderOf(before)?.who.registration ?? "") !== by) return illegal("evicts others without leading")
  if (typeof config !== "object" || !config.enabled) return illegal("evicts while disabled")
  const since = at - shortest(10n * config.candidateTimeout)
  const alive = [...candidates].find((id) => (lastWritten.get(id) ?? 0) > since)
  return alive === undefined ? legal("evict-dead") : illegal(`evicts "${alive}", which has not been dead for long`)
}

const verdictOf = (entry: Entry, analysis: Analysis, past: Past): Verdict => {
  const { after, candidates, commit, tenures, written } = entry
  if (commit.by === "operator") return byOperator(entry)
  if (written.has("config")) {
    // A campaign sets up an election that was never set up (rule 1).
    if (entry.before.config === undefined) return legal("initialize")
    return illegal("changes the configuration without being an operator")
  }
  if ([...tenures].some((term) => after.history.get(term) === invalid)) {
    return illegal("leaves a history that does not decode")
  }
  if (written.has("leader") || written.has("lease")) return ofLeadership(entry, analysis, past)
  if (written.has("challenge")) return ofChallenge(entry, analysis, past)
  if (candidates.size === 0) return ofHistory(entry)
  return ofEviction(entry, analysis, past) ?? ofCandidate(entry, analysis, past)
}

const advance = (
  past: Past,
  { after: { candidates, config, leader, lease }, commit: { at, by }, ...changed }: Entry
): void => {
  // A record that was spoiled and put back is the vacancy that it was.
  if (typeof leader === "object" && !leader.held && leader.term !== past.vacancy.term) {
    past.vacancy = { term: leader.term, since: at }
  }
  // Whoever cannot read a damaged record remembers the one before.
  if (typeof lease === "object" && (lease.ballot !== past.lease.ballot || lease.duration !== past.lease.duration)) {
    past.lease = { ...lease, since: at }
  }
  // Records that operators damage and repair show neither when the leader began nor who lives.
  if (changed.written.has("leader")) past.leads = by === "operator" ? undefined : at
  else if (changed.written.has("config")) past.leads = undefined
  if (changed.written.has("config")) {
    past.configuredAt = at
    past.disabledAt = typeof config === "object" && !config.enabled ? past.disabledAt ?? at : undefined
  }
  for (const id of changed.candidates) {
    if (by !== "operator") past.lastWritten.set(id, at)
    const candidate = candidates.get(id)
    if (typeof candidate !== "object") continue
    if (!past.known.has(candidate.registration)) past.registrars.add(by)
    past.known.add(candidate.registration)
  }
}

/** Returns the verdict on every commit to the election. */
export const name = (analysis: Analysis): Array<{ readonly entry: Entry; readonly verdict: Verdict }> => {
  const past = makePast()
  return analysis.ledger.map((entry) => {
    const verdict = verdictOf(entry, analysis, past)
    advance(past, entry)
    return { entry, verdict }
  })
}
