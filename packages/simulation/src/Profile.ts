/**
 * Kinds of histories: which faults and which acts of operators, how often and how bad.
 */
import { millisecond, second } from "./EventScheduler.ts"
import type { FaultRates } from "./FaultRates.ts"
import type { CommitKind } from "./internal/commitKind.ts"
import { SeededRandom } from "./internal/seededRandom.ts"
import {
  type Config,
  type Fault,
  longestHold,
  longestWait,
  type ProcessPlan,
  type Scenario,
  type Target,
  type Work
} from "./Scenario.ts"
import type { Trigger } from "./Triggers.ts"

/** The names of the profiles. */
export const names = [
  "calm",
  "clocks",
  "pauses",
  "network",
  "late",
  "outages",
  "operators",
  "changes",
  "deployments",
  "everything"
] as const

/** See {@link names}. */
export type Name = typeof names[number]

/** What a profile is for, in one line. */
export const descriptions: { readonly [name in Name]: string } = {
  calm: "no faults: leaders resign, or are asked to step down",
  clocks: "wall clocks that are off and jump, monotonic clocks that drift and stand still",
  pauses: "processes that freeze, stall, crash and come back",
  network: "slow and cut links, conflicts, unknown and late commits, lost watches",
  late: "tenures that end while answers and commits come late: fading links, resignations, preemption",
  outages: "the whole database away, and back at a version far ahead",
  operators: "configurations that change, elections disabled, eviction, forged challenges, doubles, garbage in records",
  changes: "an operator's changes that meet unknown results, cut-offs, elections and renewals in their batch",
  deployments: "rolling restarts, priorities that change, preemption, crashes",
  everything: "all of it at once"
}

/** What may be set of a generated scenario. */
interface Options {
  readonly processes?: number | undefined
  /** Seconds. */
  readonly duration?: number | undefined
}

/** Of the faults that are drawn by themselves. */
type FaultKind = Exclude<Fault["kind"], "race">

/** The mean time between two faults of a kind, in seconds. */
type Rates = Partial<Record<FaultKind, number>>

const rates: { readonly [name in Name]: Rates } = {
  calm: { resign: 60, "step-down": 120, stop: 120, "resign-late": 30 },
  clocks: { jump: 14, suspend: 30, freeze: 60, partition: 60, storm: 60, crash: 120 },
  pauses: { freeze: 25, suspend: 60, stall: 12, crash: 60, storm: 120, partition: 90 },
  network: { storm: 25, partition: 30, fade: 60, stall: 60, crash: 100, usurp: 40 },
  late: { storm: 10, fade: 120, resign: 15, "step-down": 60, prioritize: 60, stop: 120, "resign-late": 5 },
  outages: { outage: 50, storm: 60, crash: 120, freeze: 90, replace: 50 },
  operators: {
    configure: 60,
    disable: 90,
    "step-down": 60,
    evict: 20,
    garbage: 60,
    forge: 25,
    duplicate: 100,
    resign: 90,
    crash: 100,
    jump: 20,
    storm: 120,
    partition: 120
  },
  changes: { crash: 150 },
  deployments: { deploy: 120, prioritize: 40, stop: 60, crash: 60, storm: 90, stall: 60 },
  everything: {
    storm: 60,
    partition: 60,
    fade: 150,
    outage: 200,
    replace: 250,
    freeze: 80,
    suspend: 120,
    stall: 60,
    jump: 80,
    crash: 80,
    stop: 120,
    deploy: 300,
    prioritize: 100,
    resign: 150,
    duplicate: 250,
    configure: 150,
    disable: 250,
    "step-down": 150,
    evict: 120,
    garbage: 200,
    forge: 200,
    usurp: 200,
    "resign-late": 60
  }
}

/**
 * The mean time between changes by an operator that meet an unknown result and a cut-off, in seconds. Each is likely by itself;
 * all at once would be rare.
 */
const meetings: { readonly [name in Name]?: number } = { operators: 60, changes: 14, everything: 200 }

/** The share of freezes, suspensions and partitions that strike when a renewal of the leader or a message of its work is under way. */
const triggered: { readonly [name in Name]?: number } = { clocks: 0.7, pauses: 0.6, network: 0.4, everything: 0.3 }

type MakeFault = (at: number, lease: number, random: SeededRandom) => Fault

const reconfigure = (at: number, lease: number, preemption = true): Fault => ({
  kind: "configure",
  at,
  config: { lease, heartbeat: lease * 0.3, candidateTimeout: lease * 1.5, preemption }
})

/** What brings about a commit of a race, or meets it. */
const acts = {
  resign: (at) => ({ kind: "resign", at }),
  "step-down": (at) => ({ kind: "step-down", at }),
  crash: (at, lease) => ({ kind: "crash", at, target: "leader", restart: lease * 0.1, keepsId: true }),
  kill: (at, lease) => ({ kind: "crash", at, target: "leader", restart: 2 * lease, keepsId: true }),
  // Higher than any before.
  outbid: (at, _, random) => ({
    kind: "prioritize",
    at,
    target: random.between(0, 4),
    priority: 10 + Math.round(at)
  }),
  challenge: (at) => ({ kind: "forge", at, priority: 10_000 }),
  configure: (at, lease, random) => reconfigure(at, lease * random.pick([0.5, 1, 2])),
  forbid: (at, lease, random) => reconfigure(at, lease * random.pick([0.5, 1, 2]), false),
  shorten: (at, lease) => reconfigure(at, lease * 0.3),
  disable: (at, lease, random) => ({ kind: "disable", at, for: lease * random.next() }),
  double: (at, lease) => ({ kind: "duplicate", at, for: lease, target: "leader" }),
  freeze: (at, lease, random) => ({ kind: "freeze", at, for: lease * (0.9 + 0.6 * random.next()), target: "leader" }),
  mute: (at, lease) => ({
    kind: "partition",
    at,
    targets: ["leader"],
    cut: "both",
    for: 1.2 * lease,
    trigger: "renewal"
  }),
  silence: (at, lease) => ({ kind: "partition", at, targets: ["leader"], cut: "requests", for: 1.6 * lease }),
  slow: (at, lease) => ({ kind: "storm", at, for: 2 * lease, rates: { slow: 0.5, slowMean: 0.3 * lease * second } }),
  fade: (at, lease) => ({ kind: "fade", at, for: 3 * lease, target: "leader", delay: 0.25 * lease })
} as const satisfies { readonly [act in string]: MakeFault }

type Act = keyof typeof acts

/**
 * Two commits that must not pass each other unnoticed: one that is kept back until the other comes, and what brings them about.
 * Where no other is awaited, `meanwhile` strikes when the first has arrived, or soon after.
 */
interface Race {
  readonly commit: CommitKind
  /** When each happens, in leases. */
  readonly by?: { readonly [act in Act]?: number }
  readonly until?: CommitKind
  readonly meanwhile?: ReadonlyArray<Act>
  readonly place?: "before" | "behind"
  /** Seconds. */
  readonly after?: number
}

const ends: ReadonlyArray<Race> = [
  { commit: "renewal", until: "challenge", meanwhile: ["challenge"] },
  { commit: "renewal", until: "resignation", meanwhile: ["resign"] },
  { commit: "renewal", until: "claim", meanwhile: ["kill"], place: "before" },
  { commit: "resignation", by: { resign: 0 }, until: "challenge", meanwhile: ["challenge"] },
  { commit: "resignation", by: { resign: 0 }, until: "claim", meanwhile: ["kill"] },
  { commit: "resignation", by: { outbid: 0 }, until: "request", meanwhile: ["step-down"] },
  { commit: "challenge", by: { outbid: 0 }, until: "resignation", meanwhile: ["resign"] },
  { commit: "challenge", by: { outbid: 0 }, until: "request", meanwhile: ["step-down"] },
  { commit: "challenge", by: { crash: 0, outbid: 0.8 }, until: "claim" },
  { commit: "challenge", by: { challenge: 0 }, meanwhile: ["resign"], after: 0.008 },
  { commit: "claim", by: { resign: 0 }, until: "claim" },
  { commit: "claim", by: { crash: 0 }, until: "challenge", meanwhile: ["challenge"] }
]

const changes: ReadonlyArray<Race> = [
  { commit: "configuration", by: { shorten: 0 }, meanwhile: ["mute"] },
  { commit: "renewal", until: "configuration", meanwhile: ["configure"] },
  { commit: "configuration", by: { configure: 0 }, until: "renewal", place: "behind" },
  { commit: "configuration", by: { disable: 0 }, until: "renewal", place: "behind" },
  { commit: "request", by: { "step-down": 0 }, until: "renewal", place: "behind" },
  { commit: "challenge", by: { outbid: 0 }, until: "configuration", meanwhile: ["disable"] },
  {
    commit: "resignation",
    by: { forbid: -1, challenge: -0.5, resign: 0 },
    until: "configuration",
    meanwhile: ["configure"]
  },
  { commit: "claim", by: { resign: 0 }, until: "configuration", meanwhile: ["configure"] },
  { commit: "claim", by: { resign: 0 }, until: "configuration", meanwhile: ["disable"] },
  { commit: "registration", by: { crash: 0 }, until: "configuration", meanwhile: ["disable"] }
]

const identities: ReadonlyArray<Race> = [
  { commit: "renewal", until: "registration", meanwhile: ["double"] },
  { commit: "registration", by: { double: 0 }, until: "renewal", place: "behind" },
  { commit: "claim", by: { resign: 0 }, until: "registration", meanwhile: ["double"] },
  { commit: "challenge", by: { outbid: 0 }, until: "registration", meanwhile: ["double"] },
  { commit: "resignation", by: { resign: 0 }, until: "registration", meanwhile: ["double"] },
  { commit: "removal", by: { crash: 0 }, until: "registration", meanwhile: ["double"] },
  { commit: "heartbeat", until: "registration", meanwhile: ["double"] },
  { commit: "registration", by: { crash: 0 }, until: "registration" }
]

const answers: ReadonlyArray<Race> = [
  { commit: "renewal", by: { slow: -1 }, meanwhile: ["silence"] },
  { commit: "claim", by: { resign: 0 }, meanwhile: ["fade", "silence"] }
]

/** Which races a profile has, and how often, in seconds on average. */
const races: { readonly [name in Name]?: { readonly of: ReadonlyArray<Race>; readonly every: number } } = {
  pauses: {
    of: [{ commit: "claim", by: { crash: 0 }, meanwhile: ["freeze"] }],
    every: 40
  },
  network: { of: answers, every: 16 },
  late: { of: ends, every: 12 },
  operators: { of: identities, every: 16 },
  changes: { of: changes, every: 14 },
  deployments: { of: [{ commit: "challenge", by: { outbid: 0 }, meanwhile: ["crash"] }], every: 40 },
  everything: { of: [...ends, ...changes, ...identities, ...answers], every: 40 }
}

/** What every storm of a profile has, whatever else it is like. */
const storms: { readonly [name in Name]?: Partial<FaultRates> } = {
  late: { late: 0.4, slow: 0.05, slowMean: 0.3 * second }
}

/** No fault goes on for longer, in seconds. */
const longest = 40
const kinds = Object.keys(rates.everything) as ReadonlyArray<FaultKind>

/** The leases of elections whose configuration is not the default. */
const leases: { readonly [name in Name]?: ReadonlyArray<number> } = {
  // Commits come as late as a lease lapses.
  late: [2, 4, 4, 4, 6, 10]
}

/** In leases. Whoever is dead for ten times as long is evicted: within a history, in these. */
const candidateTimeouts: { readonly [name in Name]?: number } = { pauses: 0.5, network: 0.5, outages: 0.5 }

const config = (random: SeededRandom, plain: boolean, profile: Name): Config => {
  const { [profile]: some = [2, 4, 6, 10, 10, 10, 20] } = leases
  const lease = plain ? 10 : random.pick(some)
  const heartbeat = lease * (plain ? 0.3 : random.pick([0.2, 0.3, 0.3, 0.4]))
  const candidateTimeout = lease * (candidateTimeouts[profile] ?? 1.5)
  return { lease, heartbeat, candidateTimeout, preemption: random.happens(0.85) }
}

/** What the work of every process of a profile is like, whatever else it is. */
const works: { readonly [name in Name]?: Partial<Work> } = {
  // Answers of the sink are often under way.
  clocks: { gap: 1, external: 0.5 },
  pauses: { outside: true },
  // Somebody writes all the time, gives up on it soon, and has nothing to do before resigning.
  late: { gap: 0.5, journal: 0.6, guardTimeout: 0.2, finalizer: 0 }
}

const work = (random: SeededRandom, lease: number, profile: Name): Work => ({
  gap: random.pick([0.5, 1, 2, 4]),
  guarded: random.pick([0.2, 0.5]),
  external: random.pick([0.1, 0.4]),
  journal: 0.3,
  scoped: random.happens(0.3),
  lasts: random.happens(0.3) ? random.between(20, 120) : undefined,
  finalizer: random.pick([0, 0, 0.005, 0.05, 0.05, lease * 0.05, lease * 0.3]),
  guardTimeout: lease * random.pick([0.04, 0.04, 0.5]),
  ...works[profile]
})

const process = (
  random: SeededRandom,
  profile: Name,
  index: number,
  lease: number,
  offClocks: boolean
): ProcessPlan => ({
  id: `p${index + 1}`,
  priority: random.pick([0, 0, 0, 1, 5]),
  starts: random.next() * 5,
  // The default margin of a tenth allows for rates that differ by eleven per cent; these differ by eight.
  drift: offClocks ? random.between(-39_000, 39_000) : random.between(-200, 200),
  // Whoever is behind by more than its time looks dead to an operator.
  wallOffset: offClocks && profile !== "operators" && index === 0 && random.happens(0.2)
    ? outOfRange(random)
    : offClocks
    ? random.pick([0, 2, -2, 30, -30, -30]) * (0.5 + random.next() / 2)
    : (random.next() - 0.5) * 0.1,
  margin: random.happens(0.15) ? random.pick([0.2, 0.2, 0.5]) : undefined,
  work: work(random, lease, profile)
})

/**
 * A wall clock that no record can hold, in seconds ahead of the world's: long before 1970 or after 2262, or near the edge, so that
 * it, or the end of a lease by it, gets into or out of the range within a history.
 */
const outOfRange = (random: SeededRandom): number =>
  random.pick([
    -1_800_000_000,
    -1_700_000_000 - random.next() * 200,
    7_523_372_036 - random.next() * 200,
    7_600_000_000
  ])

const storm = (random: SeededRandom, profile: Name): Partial<FaultRates> => {
  const strength = random.pick([0.2, 1, 1, 3])
  const some = (probability: number) => random.happens(0.4) ? Math.min(0.5, probability * strength) : 0
  return {
    most: random.pick([5, 20, 100]) * millisecond,
    batch: random.pick([1, 10, 200]) * millisecond,
    slow: some(0.15),
    slowMean: random.pick([0.1, 0.5, 2]) * second,
    tooOld: some(0.03),
    future: some(0.03),
    behind: some(0.05),
    conflict: some(0.1),
    unknown: some(0.12),
    refused: some(0.05),
    lag: some(0.3),
    late: some(0.1),
    lostWatch: some(0.4),
    spuriousWatch: some(0.2),
    ...storms[profile]
  }
}

const fault = (
  random: SeededRandom,
  profile: Name,
  kind: FaultKind,
  at: number,
  processes: number,
  lease: number
): Fault => {
  const anybody = random.between(0, processes - 1)
  const target: Target = random.happens(0.6) ? "leader" : anybody
  const around = (share: number) => Math.min(longest, random.exponential(share * lease))
  switch (kind) {
    case "storm":
      return { kind, at, for: Math.min(longest, 5 + random.exponential(10)), rates: storm(random, profile) }
    case "partition": {
      const others = random.shuffled(Array.from({ length: processes }, (_, index) => index))
      const targets = random.happens(0.7) ? [target] : others.slice(0, random.between(1, processes))
      return { kind, at, for: around(1.2), targets, cut: random.pick(["both", "both", "requests", "replies"]) }
    }
    case "fade":
      // An attempt to renew is given about a fifth of the lease: slower answers are as good as none.
      return { kind, at, for: 2.4 * lease, target: "leader", delay: lease * (0.1 + 0.12 * random.next()) }
    case "outage":
      // A recovery takes seconds, and begins with a version a hundred million ahead; the rest is the way to the database.
      return random.happens(0.7)
        ? { kind, at, for: 2 + 4 * random.next(), versions: 100_000_000 }
        : { kind, at, for: around(1), versions: 0 }
    case "freeze":
    case "suspend":
      return { kind, at, for: around(1.3), target }
    case "stall":
      return { kind, at, for: 0.05 + random.exponential(0.3), target }
    case "replace":
      return { kind, at, target }
    case "jump":
      if (profile !== "operators" && random.happens(0.15)) return { kind, at, target, by: outOfRange(random) }
      return { kind, at, target, by: (random.happens(0.5) ? 1 : -1) * random.pick([0.1, 1, 5, 60]) * random.next() }
    case "crash":
      return { kind, at, target, restart: around(1), keepsId: random.happens(0.6) }
    case "stop": {
      const keepsId = random.happens(0.8)
      const priority = random.happens(0.3) ? random.between(0, 10) : undefined
      return { kind, at, target, restart: 0.2 + around(0.5), keepsId, priority }
    }
    case "deploy":
      return { kind, at, each: 1 + random.next() * 3, priority: random.between(1, 20) }
    case "prioritize":
      return { kind, at, target: anybody, priority: random.between(0, 10) }
    case "duplicate":
      return { kind, at, for: around(1.5), target }
    case "configure":
      return { kind, at, config: config(random, false, profile) }
    case "disable":
      return { kind, at, for: around(1) }
    case "garbage": {
      const record = random.pick(["config", "leader", "lease", "challenge", "candidate"] as const)
      return { kind, at, for: around(0.6), record }
    }
    case "forge":
      return { kind, at, priority: random.between(-5, 5) }
    case "resign-late":
      return { kind, at, for: 10 + 60 * random.next() }
    case "resign":
    case "step-down":
    case "evict":
    case "usurp":
      return { kind, at }
  }
}

/** An operator's change, and around it what makes it hard: see {@link meetings}. */
const meeting = (random: SeededRandom, at: number, lease: number): ReadonlyArray<Fault> => {
  const soon = (share: number) => at + random.next() * share * lease
  const some = (probability: number) => random.happens(0.6) ? probability : 0
  const other = lease * random.pick([0.2, 0.5, 1, 2])
  const trigger = random.pick<Trigger | undefined>([undefined, undefined, "renewal", "renewal", "claim", "resignation"])
  const change: Fault = random.happens(0.6)
    ? {
      kind: "configure",
      at,
      trigger,
      config: { lease: other, heartbeat: other * 0.3, candidateTimeout: other * 1.5, preemption: random.happens(0.85) }
    }
    : random.happens(0.7)
    ? { kind: "disable", at, trigger, for: lease * (0.2 + random.next()) }
    : { kind: "step-down", at, trigger }
  const cut = {
    // What a leader does first when it hears of a change is to renew.
    at: random.happens(0.6) ? at + 0.004 : soon(0.4),
    for: lease * (0.3 + 1.3 * random.next()),
    trigger: random.pick<Trigger | undefined>(["renewal", "renewal", "send", undefined])
  }
  const how = random.pick(["both", "requests", "replies", "freeze", "suspend"] as const)
  const faults: ReadonlyArray<Fault | undefined> = [
    change,
    random.happens(0.7)
      ? {
        kind: "storm",
        at: at - 1,
        for: 2 + 0.6 * lease,
        rates: {
          batch: random.pick([1, 50, 200]) * millisecond,
          slow: some(0.2),
          slowMean: random.pick([0.02, 0.3]) * second,
          unknown: some(0.3),
          late: some(0.2),
          lostWatch: random.pick([0, 0.5, 1]),
          lag: some(0.5)
        }
      }
      : undefined,
    random.happens(trigger === undefined ? 0.8 : 0.5)
      ? how === "freeze" || how === "suspend"
        ? { kind: how, target: "leader", ...cut }
        : { kind: "partition", targets: ["leader"], cut: how, ...cut }
      : undefined,
    random.happens(0.5)
      ? random.happens(0.7)
        ? { kind: "resign", at: soon(0.02) }
        : { kind: "crash", at: soon(0.4), target: "leader", restart: lease * random.next(), keepsId: true }
      : undefined
  ]
  return faults.filter((fault) => fault !== undefined)
}

const race = (
  random: SeededRandom,
  { after = 0, by = {}, commit, meanwhile = [], place, until }: Race,
  at: number,
  lease: number
): ReadonlyArray<Fault> => [
  {
    kind: "race",
    at,
    for: 2 * lease,
    commit,
    until,
    place: place ?? random.pick(["before", "behind", "later"]),
    meanwhile: meanwhile.map((act) => acts[act](after, lease, random))
  },
  ...Object.entries(by).map(([act, leases]) => acts[act as Act](Math.max(0, at + leases * lease), lease, random))
]

/** Seconds at the end of a history in which nothing goes wrong: enough for the slowest recovery, and to see it last. */
const quiet = (duration: number): number => Math.min(140, Math.max(55, duration / 3))

/** A scenario of a profile. The same arguments give the same scenario. */
export const generate = (profile: Name, seed: number, options: Options = {}): Scenario => {
  const random = new SeededRandom(seed, `scenario/${profile}`)
  const count = options.processes ?? 5
  const plain = profile === "calm" || (random.happens(0.4) && profile !== "late")
  const initial = config(random, plain, profile)
  const duration = options.duration ?? 600
  const quietAt = Math.max(0, duration - quiet(duration))
  const offClocks = profile === "clocks" || profile === "everything" || profile === "operators"
  const processes = Array.from(
    { length: count },
    (_, index) => process(random, profile, index, initial.lease, offClocks)
  )
  // A release whose work cannot be done, and which is to be preferred.
  if (profile === "deployments" && random.happens(0.4)) {
    const broken = processes[0]!
    processes[0] = { ...broken, priority: 30, work: { ...broken.work, fails: random.pick([0, 0.05, 0.5]) } }
  }
  const faults: Array<Fault> = []
  const add = (fault: Fault): void => {
    if (fault.at + endOf(fault, count) < quietAt) faults.push(fault)
  }
  for (const kind of kinds) {
    const mean = rates[profile][kind]
    if (mean === undefined) continue
    const own = new SeededRandom(seed, `scenario/${profile}/${kind}`)
    let at = own.exponential(mean)
    while (at < quietAt) {
      const made = fault(own, profile, kind, at, count, initial.lease)
      add(
        canBeTriggered(made) && own.happens(triggered[profile] ?? 0)
          // For about a lease, so that the belief is over then, and others may lead or not.
          ? { ...made, trigger: own.pick(["renewal", "send"]), for: initial.lease * (0.4 + 0.8 * own.next()) }
          : made
      )
      at += own.exponential(mean)
    }
  }
  const between = meetings[profile]
  if (between !== undefined) {
    const own = new SeededRandom(seed, `scenario/${profile}/meetings`)
    for (let at = 5 + own.exponential(between); at < quietAt; at += own.exponential(between)) {
      for (const made of meeting(own, at, initial.lease)) add(made)
    }
  }
  // Watches that are lost all the time: what is missed then has to be noticed otherwise.
  if (profile === "late" || profile === "changes") {
    faults.push({ kind: "storm", at: 0, for: quietAt, rates: { lostWatch: 0.4 } })
  }
  const { every = 0, of = [] } = races[profile] ?? {}
  if (of.length > 0) {
    const own = new SeededRandom(seed, `scenario/${profile}/races`)
    for (let at = 5 + own.exponential(every); at < quietAt; at += own.exponential(every)) {
      for (const made of race(own, own.pick(of), at, initial.lease)) add(made)
    }
  }
  faults.sort((a, b) => a.at - b.at)
  return { seed, profile, duration, quietAt, config: initial, processes, faults }
}

/** Whether it strikes the leader, and goes on for a time. */
const canBeTriggered = (
  fault: Fault
): fault is Fault<"partition" | "freeze" | "suspend"> =>
  fault.kind === "partition"
    ? fault.targets.includes("leader")
    : (fault.kind === "freeze" || fault.kind === "suspend") && fault.target === "leader"

/** How long after its time a fault is over at the latest. */
const endOf = (fault: Fault, processes: number): number => {
  const waits = fault.trigger === undefined ? 0 : longestWait
  switch (fault.kind) {
    case "crash":
    case "stop":
      return waits + fault.restart
    case "deploy":
      return waits + fault.each * (processes + 1)
    case "race":
      return fault.for + longestHold + Math.max(0, ...fault.meanwhile.map((other) => endOf(other, processes)))
    default:
      return waits + ("for" in fault ? fault.for : 0)
  }
}
