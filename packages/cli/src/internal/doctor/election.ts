/** What the doctor makes of the records of an election, read twice some time apart. */
import type { CandidateInfo, Challenge, ElectionConfig, LeaderState } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Durations from "../durations.ts"
import { error, type Finding, info, ok, warning } from "./findings.ts"

/** The records of an election at one time. */
export interface Look {
  readonly config: ElectionConfig
  readonly leader: LeaderState | undefined
  readonly challenge: Challenge | undefined
  /** All that are registered, alive or not. */
  readonly candidates: ReadonlyArray<CandidateInfo>
  /** This host's wall clock, in nanoseconds since the epoch. */
  readonly now: bigint
}

/** Two looks at an election. */
export interface Observed {
  readonly title: string
  readonly first: Look
  readonly last: Look
  /** Between them, at most. */
  readonly span: Duration.Duration
  /** How many processes would know at once if that of the leader ended; `undefined` if this one cannot tell. */
  readonly witnesses: number | undefined
}

/** By this host's clock. */
const alive = ({ candidates, config, now }: Look): ReadonlyArray<CandidateInfo> =>
  candidates.filter((candidate) => candidate.isAlive(now, config.candidateTimeout))

const abs = (nanos: bigint): bigint => nanos < 0n ? -nanos : nanos

/** For so many heartbeats a leader that lives renews once, whatever its jitter. */
const heartbeatsToRenew = 2

export const observationTime = ({ heartbeatInterval }: ElectionConfig): Duration.Duration =>
  Duration.times(heartbeatInterval, heartbeatsToRenew)

const ofLeader = ({ first, last, span, title }: Observed): ReadonlyArray<Finding> => {
  const { config, leader } = last
  if (!config.electionEnabled) {
    const goesOn = leader === undefined ? "nobody leads" : `"${leader.leaderId}" leads until its lease ends`
    return [warning("leader", `${title} is disabled: ${goesOn}`, "`fdb-election enable` enables it")]
  }
  if (leader === undefined) {
    return [
      alive(last).length === 0
        ? warning("leader", `nobody leads ${title}, and no candidate is alive`, "start a process that takes part")
        : first.leader === undefined
        ? error(
          "leader",
          `nobody leads ${title}, although ${alive(last).length} candidates are alive`,
          "read their logs with --log-level debug: their margin may not fit the lease, or they are stuck"
        )
        : info("leader", `the leader of ${title} has just resigned`)
    ]
  }
  const hasRenewed = first.leader?.ballot !== leader.ballot
  if (hasRenewed) {
    return [ok("leader", `"${leader.leaderId}" leads ${title} in term ${leader.term}, and renews its lease`)]
  }
  if (Duration.isLessThan(span, observationTime(config))) {
    return [
      info(
        "leader",
        `"${leader.leaderId}" leads ${title} in term ${leader.term}; it was not looked at for long enough to see a renewal`
      )
    ]
  }
  const others = alive(last).filter(({ processId }) => processId !== leader.leaderId).length
  return [
    error(
      "leader",
      `"${leader.leaderId}" has not renewed its lease of term ${leader.term} of ${title} for ${
        Durations.format(span)
      }: it is ` +
        "dead, stopped or cut off",
      others === 0
        ? "no other candidate is alive: start one, or mend that process"
        : `wait: one of ${others} other candidates takes over when it has seen the lease lapse, ${
          Durations.format(leader.leaseDuration)
        } after the last renewal`
    )
  ]
}

const ofChallenge = ({ first, last, title }: Observed): ReadonlyArray<Finding> => {
  const { challenge } = last
  if (challenge === undefined || first.challenge?.term !== challenge.term) return []
  const by = challenge.challengerId === undefined ? "an operator" : `"${challenge.challengerId}"`
  return [
    warning(
      "challenge",
      `${by} has asked the leader of term ${challenge.term} of ${title} to step down, and it still stands`,
      "its work may not react to its interruption; it cannot renew, so wait until the lease has lapsed"
    )
  ]
}

/** By how much a clock may be off without being told: what lies between a heartbeat and its commit. */
const tolerance = 1_000_000_000n

/** Whose clock shows another time than this host's, as far as records tell that were written between the looks. */
const ofClock = ({ first, last, title }: Observed): ReadonlyArray<Finding> => {
  const before = new Map(first.candidates.map(({ lastHeartbeat, processId }) => [processId, lastHeartbeat]))
  const offsets = last.candidates.flatMap(({ lastHeartbeat, processId }) => {
    const isNew = before.has(processId) && before.get(processId) !== lastHeartbeat
    if (lastHeartbeat > last.now + tolerance) return [{ processId, by: lastHeartbeat - last.now }]
    return isNew && lastHeartbeat < first.now - tolerance ? [{ processId, by: lastHeartbeat - first.now }] : []
  })
  const worst = offsets.toSorted((a, b) => abs(a.by) > abs(b.by) ? -1 : 1)[0]
  if (worst === undefined) return [ok("clock", `the clock of this host fits the records of ${title}`)]
  return [
    warning(
      "clock",
      `the wall clock of "${worst.processId}" is ${Durations.formatNanos(abs(worst.by))} ${
        worst.by > 0n ? "ahead of" : "behind"
      } that of this host`,
      "synchronise the clocks (chrony, systemd-timesyncd). Leases do not depend on them, but `status`, `evict` and the operations of " +
        "the transaction-level interface do"
    )
  ]
}

const ofCandidates = ({ last, title }: Observed): ReadonlyArray<Finding> => {
  const dead = last.candidates.length - alive(last).length
  const text = `${dead} of ${last.candidates.length} candidates of ${title} are dead`
  if (dead <= 0) return []
  return dead < 20
    ? [info("candidates", `${text}; a leader removes them after ten candidate timeouts`)]
    : [
      warning(
        "candidates",
        text,
        "`fdb-election evict` removes them. If they come again: no process leads for long enough to remove them, or starts often"
      )
    ]
}

const ofConfig = ({ last: { config }, title }: Observed): ReadonlyArray<Finding> => {
  const { candidateTimeout, heartbeatInterval, leaseDuration } = config
  const findings: Array<Finding> = []
  const set = "`fdb-election config set` changes it"
  if (Duration.isGreaterThan(heartbeatInterval, Duration.divideUnsafe(leaseDuration, 2))) {
    findings.push(
      warning(
        "configuration",
        `the heartbeat of ${title}, ${
          Durations.format(heartbeatInterval)
        }, is more than half of the lease: one failed renewal costs ` +
          "the leadership",
        `make it a third of the lease; ${set}`
      )
    )
  }
  if (Duration.isLessThan(candidateTimeout, Duration.times(heartbeatInterval, 3))) {
    findings.push(
      warning(
        "configuration",
        `the candidate timeout of ${title} is less than three heartbeats: candidates that live are shown as dead`,
        `make it one and a half of the lease; ${set}`
      )
    )
  }
  const margin = Duration.divideUnsafe(leaseDuration, 10)
  if (Duration.isLessThan(margin, Duration.millis(200))) {
    findings.push(
      warning(
        "margin",
        `a tenth of the lease of ${title}, the default margin, is ${
          Durations.format(margin)
        }: a work has no more time to end before ` +
          "another may lead",
        "take a lease of 2s or more, or a greater safetyMargin"
      )
    )
  } else {findings.push(
      ok("margin", `a work of ${title} has ${Durations.format(margin)} to end, if its margin is the default`)
    )}
  return findings
}

const ofTerm = ({ last: { leader }, title }: Observed): ReadonlyArray<Finding> =>
  leader !== undefined && leader.term > BigInt(Number.MAX_SAFE_INTEGER)
    ? [
      info(
        "terms",
        `term ${leader.term} of ${title} is above 2^53: receivers that read it as a number of JSON round it`
      )
    ]
    : []

const ofWitness = ({ last: { leader }, title, witnesses }: Observed): ReadonlyArray<Finding> => {
  if (leader === undefined || witnesses === undefined) return []
  return witnesses > 0
    ? [ok("witness", `the end of the leader of ${title} would be known at once`)]
    : [
      info(
        "witness",
        `no process of this host witnesses the leader of ${title}: if its process dies, others wait for its lease`,
        "it may run on another host, have no witness, or lead for `fdb-election run`, whose watchdog process ends its tenure"
      )
    ]
}

const checks = [ofLeader, ofChallenge, ofClock, ofCandidates, ofConfig, ofTerm, ofWitness]

export const ofElection = (observed: Observed): ReadonlyArray<Finding> => checks.flatMap((check) => check(observed))

/** How long transactions take, and what that means for the shortest lease. */
export const ofLatency = (
  { commit, read }: { readonly commit: Duration.Duration; readonly read: Duration.Duration },
  { leaseDuration }: ElectionConfig
): Finding => {
  const text =
    `a commit takes ${Durations.format(commit)} and a read ${
      Durations.format(read)
    }, at the most of a few; the lease is ` +
    Durations.format(leaseDuration)
  const longest = Duration.max(commit, read)
  if (Duration.isGreaterThan(longest, Duration.divideUnsafe(leaseDuration, 9))) {
    return error(
      "latency",
      `${text}: above a ninth of it, leaders cannot keep it`,
      "take a longer lease, or a faster store"
    )
  }
  return Duration.isGreaterThan(longest, Duration.divideUnsafe(leaseDuration, 30))
    ? warning("latency", `${text}: little room is left for retries`, "take a longer lease, or a faster store")
    : ok("latency", text)
}
