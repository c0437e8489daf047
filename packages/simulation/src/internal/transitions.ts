/**
 * What each commit to an election is: one of the transitions that the protocol has, or none. The rules are written down
 * here a second time, in the terms of what is stored.
 */
import { second } from "../EventScheduler.ts"
import type { Analysis } from "./analysis.ts"
import { type Entry, invalid, type State } from "./ledger.ts"

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
  "claim-own",
  "renew",
  "renew-other-lease",
  "resign",
  "resign-preempted",
  "resign-stepping-down",
  "challenge",
  "challenge-higher",
  "request-step-down",
  "evict",
  "evict-dead",
  "configure",
  "disable",
  "enable",
  "spoil-or-repair"
] as const

/** See {@link stored}. The history is trimmed after a hundred tenures, which few histories have: that is not asked of them. */
type Transition = typeof stored[number] | "trim"

/** A commit, named; or why it is none of the protocol's transitions. */
type Verdict = { readonly transition: Transition } | { readonly illegal: string }

const legal = (transition: Transition): Verdict => ({ transition })
const illegal = (reason: string): Verdict => ({ illegal: reason })

/** The challenge that obliges the leader to go, by the rules. */
const obligation = ({ challenge, config, leader }: State): "preempted" | "stepped-down" | undefined => {
  if (typeof challenge !== "object" || typeof leader !== "object" || typeof config !== "object") return undefined
  if (!leader.held || challenge.term !== leader.term) return undefined
  if (challenge.challenger === undefined) return "stepped-down"
  return config.preemption && challenge.priority > leader.priority ? "preempted" : undefined
}

const byOperator = ({ after, before, candidates, written }: Entry): Verdict => {
  if (before.config === undefined && written.has("config")) return legal("initialize")
  if (written.has("config") && typeof before.config === "object" && typeof after.config === "object") {
    if (before.config.enabled && !after.config.enabled) return legal("disable")
    if (!before.config.enabled && after.config.enabled) return legal("enable")
    return legal("configure")
  }
  if (written.has("challenge") && typeof after.challenge === "object" && after.challenge.challenger === undefined) {
    return legal("request-step-down")
  }
  if (candidates.size > 0 && [...candidates].every((id) => after.candidates.get(id) === undefined)) {
    return legal("evict")
  }
  return legal("spoil-or-repair")
}

/** The fastest clock that any world has. */
const fastest = 1.04

/** What has been before a commit. Instants are nanoseconds of simulated time. */
interface Past {
  /** The registrations that there have been, and the processes that have registered. */
  readonly known: Set<string>
  readonly registrars: Set<string>
  /** When each candidate has last written its record. */
  readonly lastWritten: Map<string, number>
  /** When the configuration was written last, and since when the election is disabled. */
  configuredAt: number
  disabledAt: number | undefined
  /** The vacancy that stands or stood last, since when, and who has left it. */
  vacancy: { readonly term: bigint; readonly since: number; readonly by: string }
  /** Since when a leader leads, where its configuration has been the same since. */
  leads: number | undefined
}

/** How long after an election was disabled what is under way may still be written, in nanoseconds. */
const underWay = 20 * second

/** A commit comes this much after it was sent at most: its read version is too old then. In nanoseconds. */
const latest = 6 * second

/** Whether a process's commit may be one that the network has kept back. */
const mayBeLate = ({ processes }: Analysis, who: string, at: number): boolean =>
  processes.get(who)?.events.some((event) =>
    event.what === "fault" && event.details["kind"] === "late-commit" && event.at > at - latest && event.at < at
  ) === true

/** Whether the library has told a process's observer of something by an instant. */
const wasTold = ({ processes }: Analysis, who: string, at: number, what: string, registration?: string): boolean =>
  processes.get(who)?.events.some((event) =>
    event.what === what && event.at < at &&
    (registration === undefined || event.details["registration"] === registration)
  ) === true

const ofCandidate = (
  { after, before, candidates, commit }: Entry,
  analysis: Analysis,
  { configuredAt, disabledAt, known, lastWritten, registrars }: Past
): Verdict => {
  const [id] = candidates
  if (id === undefined || candidates.size > 1) return illegal("writes the records of several candidates")
  const was = before.candidates.get(id)
  const is = after.candidates.get(id)
  if (was === invalid && is !== undefined) {
    return typeof is === "object" && !known.has(is.registration)
      ? legal("supersede")
      : illegal(`writes over the damaged record of "${id}"`)
  }
  if (is === undefined) return legal("unregister")
  if (is === invalid) return illegal("writes a record that does not decode")
  if (typeof was === "object" && was.registration === is.registration) {
    return disabledAt === undefined || commit.at < disabledAt + underWay
      ? legal("heartbeat")
      : illegal("writes a heartbeat though the election has been disabled for long")
  }
  if (known.has(is.registration)) {
    return illegal(
      was === undefined
        ? `brings back the registration of "${id}", which was removed`
        : `brings back a registration of "${id}" that had been superseded`
    )
  }
  if (typeof before.config === "object" && !before.config.enabled) return illegal("registers while disabled")
  if (typeof was === "object") {
    if (
      analysis.owners.get(was.registration) === commit.by &&
      wasTold(analysis, commit.by, commit.at, "registered", was.registration)
    ) {
      return illegal("supersedes its own registration")
    }
    const timeout = typeof before.config === "object" ? Number(before.config.candidateTimeout) / fastest : 0
    return wasTold(analysis, commit.by, commit.at, "superseded") && !mayBeLate(analysis, commit.by, commit.at) &&
        configuredAt < commit.at - underWay &&
        (lastWritten.get(id) ?? 0) > commit.at - timeout
      ? illegal(`takes "${id}" back from who lives`)
      : legal("supersede")
  }
  return legal(registrars.has(commit.by) ? "register-again" : "register")
}

/** How many preemptions in a row, back from the leader to be challenged, have been won for nothing. */
const failedPreemptions = ({ history, lease }: State, challenger: string, renewalsInLease: bigint): number => {
  const terms = [...history.keys()].toSorted((a, b) => (a < b ? 1 : -1))
  let failed = 0
  for (const [i, term] of terms.entries()) {
    const tenure = history.get(term)
    const before = history.get(terms[i + 1] ?? -1n)
    if (typeof tenure !== "object" || typeof lease !== "object") return 0
    const renewals = (i === 0 ? lease.ballot : terms[i - 1]! - 1n) - term
    const preempted = typeof before === "object" && before.reason === "preempted"
    if (renewals > renewalsInLease && (preempted || tenure.leader === challenger)) return failed
    if (renewals <= renewalsInLease && preempted && ["resigned", "expired"].includes(tenure.reason ?? "")) failed++
  }
  return failed
}

/** How early a challenge may come after the leader was elected; `leads` is since when it leads. */
const earliestChallenge = (before: State, challenger: string, leads: number): number => {
  if (typeof before.config !== "object") return 0
  const { heartbeat, lease } = before.config
  const failed = failedPreemptions(before, challenger, lease / heartbeat + 1n)
  return failed === 0 ? 0 : leads + (0.8 * Number(lease) * 2 ** Math.min(failed - 1, 6)) / fastest
}

const ofChallenge = ({ after, before, commit }: Entry, leads: number | undefined): Verdict => {
  const { challenge } = after
  const { config, leader } = before
  if (typeof challenge !== "object") return illegal("removes or damages a challenge")
  if (typeof config !== "object" || typeof leader !== "object") return illegal("challenges over damaged records")
  if (!config.enabled) return illegal("challenges while disabled")
  if (!leader.held || challenge.term !== leader.term) return illegal("challenges a tenure that does not stand")
  if (challenge.challenger === undefined) return illegal("asks the leader to step down without being an operator")
  if (!config.preemption || challenge.priority <= leader.priority) {
    return illegal("challenges without a higher priority")
  }
  if (leads !== undefined && commit.at < earliestChallenge(before, challenge.challenger.id, leads)) {
    return illegal("challenges too soon after preemptions that have failed")
  }
  if (typeof before.challenge !== "object" || before.challenge.term !== leader.term) return legal("challenge")
  if (before.challenge.challenger === undefined) return illegal("replaces an operator's request")
  return before.challenge.priority < challenge.priority
    ? legal("challenge-higher")
    : illegal("replaces a challenge that is as good")
}

/** How many tenures are to be kept, at least. */
const kept = 100

/** Writes to the history alone. */
const ofHistory = ({ after, tenures }: Entry): Verdict => {
  for (const term of tenures) {
    if (after.history.has(term)) return illegal("rewrites the history")
    if (after.history.size < kept || [...after.history.keys()].some((left) => left < term)) {
      return illegal("removes what the history has to keep")
    }
  }
  return legal("trim")
}

/** Writes to S("leader") or S("lease"). */
const ofLeadership = (entry: Entry, analysis: Analysis, { configuredAt, vacancy }: Past): Verdict => {
  const { after, before, candidates, commit, written } = entry
  const { leader, lease } = after
  const was = before.leader
  if (typeof before.config !== "object") return illegal("decides without a configuration that decodes")
  if (typeof was !== "object" || typeof before.lease !== "object") return illegal("decides over damaged records")
  if (typeof leader !== "object" || typeof lease !== "object") return illegal("leaves records that do not decode")
  if (before.challenge === invalid) return illegal("decides over a damaged challenge")
  const ownerOf = (registration: string) => analysis.owners.get(registration)
  if (!written.has("lease")) return illegal("writes the leader without the lease")

  if (!written.has("leader")) {
    if (!was.held) return illegal("renews a vacancy")
    if (ownerOf(was.who.registration) !== commit.by) return illegal(`renews the lease of "${was.who.id}"`)
    if (!before.config.enabled) return illegal("renews while disabled")
    const because = obligation(before)
    if (because !== undefined) return illegal(`renews though it has to go (${because})`)
    if (lease.duration !== BigInt(before.config.lease)) return illegal("renews for another time than is configured")
    return legal(lease.duration === before.lease.duration ? "renew" : "renew-other-lease")
  }

  if (!leader.held) {
    if (!was.held) return illegal("resigns from a vacancy")
    if (ownerOf(was.who.registration) !== commit.by) return illegal(`resigns for "${was.who.id}"`)
    if (leader.term !== was.term) return illegal("changes the term in resigning")
    if (after.challenge !== undefined) return illegal("resigns and leaves the challenge")
    const because = obligation(before)
    const challenger = because === "preempted" && typeof before.challenge === "object"
      ? before.challenge.challenger
      : undefined
    const tenure = after.history.get(was.term)
    if (typeof tenure === "object" && tenure.reason !== (because ?? "resigned")) {
      return illegal(`resigns as ${tenure.reason}, not as ${because ?? "resigned"}`)
    }
    if (leader.successor?.registration !== challenger?.registration) return illegal("prefers the wrong successor")
    if (candidates.size > 0) return legal("unregister-leading")
    return legal(
      because === undefined ? "resign" : because === "preempted" ? "resign-preempted" : "resign-stepping-down"
    )
  }

  if (ownerOf(leader.who.registration) !== commit.by) return illegal(`claims for "${leader.who.id}"`)
  if (!before.config.enabled) return illegal("claims while disabled")
  if (after.challenge !== undefined) return illegal("claims and leaves the challenge")
  if (lease.duration !== BigInt(before.config.lease)) return illegal("claims for another time than is configured")
  const begun = after.history.get(leader.term)
  if (typeof begun !== "object" || begun.leader !== leader.who.id || begun.ended) {
    return illegal("claims without an entry in the history")
  }
  if (was.held) {
    const ended = after.history.get(was.term)
    if (typeof ended === "object" && ended.reason !== "expired") return illegal("claims without ending the old tenure")
    return legal(was.who.registration === leader.who.registration ? "claim-own" : "claim-lapsed")
  }
  const heartbeat = Number(before.config.heartbeat) / fastest
  const obeyed = analysis.processes.get(commit.by)?.events.some(({ details, what }) =>
    what === "lost" && details["reason"] === "stepped-down" && String(details["term"]) === String(was.term)
  )
  if (
    obeyed === true && vacancy.term === was.term && configuredAt < vacancy.since - underWay &&
    commit.at < vacancy.since + heartbeat
  ) {
    return illegal("claims within a heartbeat what it was asked to leave")
  }
  if (was.term === 0n && before.history.size === 0) return legal("claim-first")
  if (was.successor === undefined) return legal("claim-vacant")
  if (was.successor.registration === leader.who.registration) return legal("claim-preferred")
  return commit.at >= vacancy.since + heartbeat
    ? legal("claim-vacant")
    : illegal(`claims what was left to "${was.successor.id}" within a heartbeat`)
}

/** A leader removes the records of others: of those only that have not been written for ten candidate timeouts. */
const ofEviction = (
  { after, before, candidates, commit }: Entry,
  { owners }: Analysis,
  lastWritten: ReadonlyMap<string, number>
): Verdict | undefined => {
  const { config, leader } = before
  const leads = typeof leader === "object" && leader.held && owners.get(leader.who.registration) === commit.by
  const isOther = (id: string) => {
    const was = before.candidates.get(id)
    return typeof was === "object" && owners.get(was.registration) !== commit.by
  }
  if (![...candidates].every((id) => after.candidates.get(id) === undefined && isOther(id))) return undefined
  if (!leads) return illegal("evicts others without leading")
  if (typeof config !== "object" || !config.enabled) return illegal("evicts while disabled")
  const since = commit.at - (10 * Number(config.candidateTimeout)) / fastest
  const alive = [...candidates].find((id) => (lastWritten.get(id) ?? 0) > since)
  return alive === undefined ? legal("evict-dead") : illegal(`evicts "${alive}", which has not been dead for long`)
}

/** Names every commit to the election. */
export const name = (analysis: Analysis): Array<{ readonly entry: Entry; readonly verdict: Verdict }> => {
  const past: Past = {
    known: new Set(),
    registrars: new Set(),
    lastWritten: new Map(),
    configuredAt: Number.NEGATIVE_INFINITY,
    disabledAt: undefined,
    vacancy: { term: -1n, since: 0, by: "" },
    leads: undefined
  }
  return analysis.ledger.map((entry) => {
    const { after, candidates, commit, tenures, written } = entry
    const verdict = commit.by === "operator"
      ? byOperator(entry)
      : written.has("config")
      ? illegal("changes the configuration without being an operator")
      : [...tenures].some((term) => after.history.get(term) === invalid)
      ? illegal("leaves a history that does not decode")
      : written.has("leader") || written.has("lease")
      ? ofLeadership(entry, analysis, past)
      : written.has("challenge")
      ? ofChallenge(entry, past.leads)
      : candidates.size === 0
      ? ofHistory(entry)
      : ofEviction(entry, analysis, past.lastWritten) ?? ofCandidate(entry, analysis, past)
    // A record that was spoiled and put back is the vacancy that it was.
    if (typeof after.leader === "object" && !after.leader.held && after.leader.term !== past.vacancy.term) {
      past.vacancy = { term: after.leader.term, since: commit.at, by: commit.by }
    }
    // What operators spoil and repair tells nothing of when the leader began, nor of who lives.
    if (written.has("leader") && commit.by !== "operator") past.leads = commit.at
    else if (written.has("leader") || written.has("config")) past.leads = undefined
    if (written.has("config")) {
      past.configuredAt = commit.at
      const isDisabled = typeof after.config === "object" && !after.config.enabled
      past.disabledAt = isDisabled ? past.disabledAt ?? commit.at : undefined
    }
    for (const id of candidates) {
      if (commit.by !== "operator") past.lastWritten.set(id, commit.at)
      const candidate = after.candidates.get(id)
      if (typeof candidate !== "object") continue
      if (!past.known.has(candidate.registration)) past.registrars.add(commit.by)
      past.known.add(candidate.registration)
    }
    return { entry, verdict }
  })
}
