/** Kinds of histories: which faults and which acts of operators, how often and how bad. */
import { millisecond, second } from "./EventScheduler.ts"
import type { FaultRates } from "./FaultRates.ts"
import type { CommitKind } from "./internal/commitKind.ts"
import { descriptions, type Name, names } from "./internal/profileNames.ts"
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

export { descriptions, type Name, names }

/** A value for some of the profiles. */
type ByProfile<A> = { readonly [name in Name]?: A }

interface Options {
  readonly processes?: number | undefined
  /** Seconds. */
  readonly duration?: number | undefined
}

/** Of the faults that are drawn by themselves. */
type FaultKind = Exclude<Fault["kind"], "race">

/** The mean time between two faults of a kind, in seconds. */
const rates: { readonly [kind in FaultKind]: ByProfile<number> } = {
  storm: {
    clocks: 60,
    pauses: 120,
    network: 25,
    late: 10,
    outages: 60,
    operators: 120,
    deployments: 90,
    everything: 60,
    many: 50,
    appointments: 25,
    witnesses: 90
  },
  partition: {
    clocks: 60,
    pauses: 90,
    network: 30,
    operators: 120,
    everything: 60,
    many: 80,
    appointments: 60,
    witnesses: 90
  },
  fade: { network: 60, late: 120, everything: 150, many: 150, appointments: 120 },
  outage: { outages: 50, everything: 200, many: 250, appointments: 200, witnesses: 250 },
  replace: { outages: 50, everything: 250, many: 250 },
  freeze: { clocks: 60, pauses: 25, outages: 90, everything: 80, many: 80, appointments: 90, witnesses: 40 },
  suspend: { clocks: 30, pauses: 60, everything: 120, many: 150, appointments: 120, witnesses: 90 },
  stall: { pauses: 12, network: 60, deployments: 60, everything: 60, many: 60, appointments: 60, witnesses: 60 },
  jump: { clocks: 14, operators: 20, everything: 80, many: 100, appointments: 60, witnesses: 90 },
  crash: {
    clocks: 120,
    pauses: 60,
    network: 100,
    outages: 120,
    operators: 100,
    changes: 150,
    deployments: 60,
    everything: 80,
    many: 90,
    appointments: 90,
    witnesses: 20
  },
  stop: { calm: 120, late: 120, deployments: 60, everything: 120, many: 150, appointments: 60, witnesses: 60 },
  deploy: { deployments: 120, everything: 300, many: 400 },
  prioritize: { late: 60, deployments: 40, everything: 100, many: 60, appointments: 40, witnesses: 120 },
  resign: { calm: 60, late: 15, operators: 90, everything: 150, many: 20, appointments: 10, witnesses: 15 },
  duplicate: { operators: 100, everything: 250, many: 250, appointments: 150, witnesses: 80 },
  configure: { operators: 60, everything: 150, many: 30 },
  disable: { operators: 90, everything: 250, many: 40, appointments: 150, witnesses: 200 },
  "step-down": { appointments: 60, witnesses: 120, calm: 120, late: 60, operators: 60, everything: 150, many: 40 },
  raise: { operators: 60, everything: 200, many: 150, appointments: 120 },
  lose: { witnesses: 90, everything: 300 },
  sever: { witnesses: 40, everything: 150 },
  unwitness: { witnesses: 120, everything: 300 },
  evict: { operators: 20, everything: 120, many: 60, appointments: 60, witnesses: 150 },
  garbage: { operators: 60, everything: 200, many: 40 },
  forge: { operators: 25, everything: 200, many: 40 },
  usurp: { network: 40, everything: 200, many: 60 },
  "resign-late": { calm: 30, late: 5, everything: 60, many: 60 }
}

/** The mean time between changes by an operator that meet an unknown result and a cut-off at once, in seconds. */
const meetings: ByProfile<number> = { operators: 60, changes: 14, everything: 200, many: 100 }

/** The share of freezes, suspensions and partitions that begin at a renewal of the leader or a message of its work. */
const triggered: ByProfile<number> = { clocks: 0.7, pauses: 0.6, network: 0.4, everything: 0.3, many: 0.3 }

type MakeFault = (at: number, lease: number, random: SeededRandom) => Fault

const configOf = (lease: number, preemption = true): Config => ({
  lease,
  heartbeat: lease * 0.3,
  candidateTimeout: lease * 1.5,
  preemption
})

/** What brings about a commit of a race, or meets it. */
const acts = {
  resign: (at) => ({ kind: "resign", at }),
  "step-down": (at) => ({ kind: "step-down", at }),
  crash: (at, lease) => ({ kind: "crash", at, target: "leader", restart: lease * 0.1, keepsId: true }),
  kill: (at, lease) => ({ kind: "crash", at, target: "leader", restart: 2 * lease, keepsId: true }),
  // Higher than any before.
  outbid: (at, _, random) => ({ kind: "prioritize", at, target: random.between(0, 4), priority: 10 + Math.round(at) }),
  challenge: (at) => ({ kind: "forge", at, priority: 10_000 }),
  configure: (at, lease, random) => ({ kind: "configure", at, config: configOf(lease * random.pick([0.5, 1, 2])) }),
  forbid: (at, lease, random) => ({ kind: "configure", at, config: configOf(lease * random.pick([0.5, 1, 2]), false) }),
  shorten: (at, lease) => ({ kind: "configure", at, config: configOf(lease * 0.3) }),
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
  fade: (at, lease) => ({ kind: "fade", at, for: 3 * lease, target: "leader", delay: 0.25 * lease }),
  deafen: (at, lease, random) => ({
    kind: "partition",
    at,
    targets: random.shuffled([0, 1, 2, 3, 4]).slice(0, 3),
    cut: "requests",
    for: lease * (0.2 + 0.25 * random.next())
  }),
  resignAgain: (at) => ({ kind: "resign", at }),
  halt: (at, lease, random) => ({
    kind: "freeze",
    at,
    for: lease * random.pick([0.01, 0.1, 0.3, 1.2]),
    target: "appointed"
  }),
  suspend: (at, lease, random) => ({
    kind: "suspend",
    at,
    for: lease * random.pick([0.1, 0.3, 1.2]),
    target: "appointed"
  }),
  stun: (at, lease) => ({ kind: "freeze", at, for: 0.2 * lease, target: "appointed" }),
  // When it is thawed, and has read what has happened.
  hush: (at, lease, random) => ({
    kind: "partition",
    at: at + 0.2 * lease + 0.001 + 0.004 * random.next(),
    targets: ["appointed"],
    cut: "requests",
    for: lease
  }),
  slay: (at, lease, random) => ({
    kind: "crash",
    at,
    target: "appointed",
    restart: lease * random.next(),
    keepsId: true
  }),
  part: (at, lease, random) => ({
    kind: "partition",
    at,
    targets: ["appointed"],
    cut: random.pick(["both", "requests", "replies"] as const),
    for: lease * random.pick([0.05, 0.3, 1.2])
  }),
  impersonate: (at, lease) => ({ kind: "duplicate", at, for: lease, target: "appointed" }),
  setBack: (at, _, random) => ({ kind: "jump", at, target: "appointed", by: random.pick([-60, -1, 1, 60]) }),
  evict: (at) => ({ kind: "evict", at }),
  sever: (at) => ({ kind: "sever", at, target: "leader" }),
  raiseByOne: (at) => ({ kind: "raise", at, by: 1 }),
  raise: (at, _, random) => ({ kind: "raise", at, by: random.between(1, 40) }),
  mislead: (at, lease) => ({
    kind: "storm",
    at,
    for: lease,
    rates: { unknown: 0.3, late: 0.3, lostWatch: 0.3, slow: 0.3, slowMean: 0.05 * lease * second }
  }),
  // With another weight a process gets other shards: with the first of these none.
  dismiss: (at) => ({ kind: "prioritize", at, target: 1, priority: 4 }),
  recall: (at) => ({ kind: "prioritize", at, target: 1, priority: 5 })
} as const satisfies { readonly [act in string]: MakeFault }

type Act = keyof typeof acts

/**
 * Two commits of which one must notice the other: one that is kept back until the other comes, and what causes them.
 * If no other is awaited, `meanwhile` strikes when the first has arrived, or soon after.
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
  { commit: "renewal", until: "raise", meanwhile: ["raise"] },
  { commit: "raise", by: { silence: -0.02, shorten: 0, raise: 0.02 } },
  { commit: "raise", by: { raiseByOne: 0, resign: 0.4 }, until: "claim", place: "behind" },
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
  { commit: "renewal", meanwhile: ["fade", "silence"] },
  { commit: "claim", by: { resign: 0 }, meanwhile: ["fade", "silence"] },
  { commit: "renewal", by: { deafen: -0.15 }, meanwhile: ["freeze"], after: 0.02 }
]

const assignments: ReadonlyArray<Race> = [
  { commit: "table", by: { recall: -1, dismiss: 0 }, until: "claim", meanwhile: ["kill"] },
  { commit: "table", by: { recall: -1, dismiss: 0 }, meanwhile: ["recall"], after: 0.05 }
]

/** What strikes the appointed, or the election, when an appointment arrives, or soon after. */
const appointments: ReadonlyArray<Race> = [
  ...(["halt", "suspend", "slay", "part", "impersonate", "setBack", "resignAgain", "disable", "challenge"] as const)
    .flatMap((act): ReadonlyArray<Race> =>
      [0, 0.004, 0.02].map((after) => ({ commit: "appointment", by: { resign: 0 }, meanwhile: [act], after }))
    ),
  { commit: "appointment", by: { resign: 0 }, meanwhile: ["stun", "hush"] },
  { commit: "appointment", by: { resign: 0 }, meanwhile: ["stun", "hush"] },
  { commit: "appointment", by: { mislead: -0.05, resign: 0 }, meanwhile: ["resignAgain"], after: 0.05 },
  { commit: "appointment", by: { outbid: -0.2, resign: 0 }, meanwhile: ["suspend"] },
  { commit: "appointment", by: { resign: 0 }, until: "claim", meanwhile: ["kill"] },
  { commit: "appointment", by: { resign: 0 }, until: "configuration", meanwhile: ["configure"] },
  { commit: "appointment", by: { resign: 0 }, until: "registration", meanwhile: ["impersonate"] },
  { commit: "appointment", by: { resign: 0 }, until: "removal", meanwhile: ["evict"] },
  { commit: "renewal", by: { resign: 0 }, until: "appointment" },
  { commit: "heartbeat", by: { resign: 0 }, until: "appointment" },
  { commit: "raise", by: { raiseByOne: 0, resign: 0.4 }, until: "appointment", place: "behind" },
  { commit: "raise", by: { raiseByOne: 0, resign: 0.4 }, until: "claim", place: "behind" },
  { commit: "heartbeat", until: "appointment", meanwhile: ["resign"], place: "before" }
]

/** Deaths that meet a claim. */
const deaths: ReadonlyArray<Race> = [
  { commit: "claim", by: { kill: 0 }, until: "claim" },
  { commit: "claim", by: { kill: 0 }, meanwhile: ["freeze"] },
  { commit: "claim", by: { kill: 0 }, meanwhile: ["kill"] },
  { commit: "renewal", meanwhile: ["kill"], until: "claim", place: "before" },
  { commit: "renewal", meanwhile: ["freeze", "sever"], after: 0.01 },
  { commit: "appointment", by: { resign: 0 }, meanwhile: ["slay"] },
  { commit: "registration", by: { crash: 0 }, meanwhile: ["crash"] }
]

/** Which races a profile has, and how often, in seconds on average. */
const races: ByProfile<{ readonly of: ReadonlyArray<Race>; readonly every: number }> = {
  pauses: { of: [{ commit: "claim", by: { crash: 0 }, meanwhile: ["freeze"] }], every: 40 },
  network: { of: answers, every: 16 },
  late: { of: ends, every: 12 },
  operators: { of: identities, every: 16 },
  changes: { of: changes, every: 14 },
  deployments: { of: [{ commit: "challenge", by: { outbid: 0 }, meanwhile: ["crash"] }], every: 40 },
  everything: { of: [...ends, ...changes, ...identities, ...answers, ...appointments, ...deaths], every: 40 },
  appointments: { of: appointments, every: 5 },
  witnesses: { of: deaths, every: 25 },
  many: { of: [...ends, ...changes, ...identities, ...answers], every: 30 },
  shards: { of: assignments, every: 12 }
}

/** The rates of every storm of a profile. */
const storms: ByProfile<Partial<FaultRates>> = { late: { late: 0.4, slow: 0.05, slowMean: 0.3 * second } }

/** The faults that strike one election, where there are several. */
const ofOneElection: ReadonlyArray<FaultKind> = [
  "resign",
  "configure",
  "disable",
  "step-down",
  "evict",
  "raise",
  "garbage",
  "forge",
  "usurp",
  "resign-late"
]

/** Those that leave nothing but the death of a process to be noticed. */
const ofDeath: ReadonlyArray<FaultKind> = ["crash", "resign", "sever"]

/** The profiles whose processes have witnesses. */
const witnessed: ReadonlySet<Name> = new Set(["witnesses", "everything"])

/** In what the processes of a profile take part, other than one election. */
const electionsOf: ByProfile<(random: SeededRandom) => Scenario["elections"]> = {
  many: (random) => ({ as: "elections", count: random.between(2, 6) }),
  slots: (random) => ({ as: "slots", count: random.between(2, 4) }),
  shards: () => ({ as: "shards", count: 12 })
}

/** The profile whose faults one has. */
const kindOf = (profile: Name): Name => electionsOf[profile] === undefined ? profile : "many"

/** No fault goes on for longer, in seconds. */
const longest = 40

/** In leases. Whoever is dead for ten times as long is evicted: within a history, in these. */
const candidateTimeouts: ByProfile<number> = { pauses: 0.5, network: 0.5, outages: 0.5 }

const config = (random: SeededRandom, plain: boolean, profile: Name): Config => {
  // In the profile "late", commits come as late as a lease lapses.
  // What waits for several leases in a row has to come to its end within a history.
  const isShort = profile === "shards" || profile === "slots"
  const lease = isShort
    ? random.pick([2, 3, 4])
    : plain
    ? 10
    : random.pick(profile === "late" ? [2, 4, 4, 4, 6, 10] : [2, 4, 6, 10, 10, 10, 20])
  const heartbeat = lease * (plain ? 0.3 : random.pick([0.2, 0.3, 0.3, 0.4]))
  const candidateTimeout = lease * (candidateTimeouts[profile] ?? 1.5)
  return { lease, heartbeat, candidateTimeout, preemption: random.happens(0.85) || profile === "shards" }
}

/** What is the same in the work of every process of a profile. */
const works: ByProfile<Partial<Work>> = {
  // Answers of the sink are often under way.
  clocks: { gap: 1, external: 0.5 },
  pauses: { outside: true },
  // Somebody writes all the time, gives up on it soon, and has nothing to do before resigning.
  late: { gap: 0.5, journal: 0.6, guardTimeout: 0.2, finalizer: 0 },
  many: { gap: 4 },
  slots: { gap: 4 },
  shards: { gap: 10 }
}

const process = (random: SeededRandom, profile: Name, index: number, lease: number): ProcessPlan => ({
  id: `p${index + 1}`,
  priority: random.pick([0, 0, 0, 1, 5]),
  starts: random.next() * 5,
  // The default margin of a tenth allows for rates that differ by eleven per cent; these differ by eight.
  drift: offClocks.has(profile) ? random.between(-39_000, 39_000) : random.between(-200, 200),
  wallOffset: wallOffset(random, profile, index),
  margin: random.happens(0.15) ? random.pick([0.2, 0.2, 0.5]) : undefined,
  work: {
    gap: random.pick([0.5, 1, 2, 4]),
    guarded: random.pick([0.2, 0.5]),
    external: random.pick([0.1, 0.4]),
    journal: 0.3,
    scoped: random.happens(0.3),
    lasts: random.happens(0.3) ? random.between(20, 120) : undefined,
    finalizer: random.pick([0, 0, 0.005, 0.05, 0.05, lease * 0.05, lease * 0.3]),
    guardTimeout: lease * random.pick([0.04, 0.04, 0.5]),
    ...works[profile]
  }
})

const offClocks: ReadonlySet<Name> = new Set([
  "clocks",
  "operators",
  "appointments",
  "witnesses",
  "everything",
  "many",
  "slots",
  "shards"
])

const wallOffset = (random: SeededRandom, profile: Name, index: number): number => {
  // Whoever seems dead by the wall clock of the others is not appointed.
  const isAppointed = (profile === "appointments" || profile === "witnesses") && random.happens(0.7)
  if (!offClocks.has(profile) || isAppointed) return (random.next() - 0.5) * 0.1
  // Whoever is behind by more than its time looks dead to an operator.
  if (profile !== "operators" && index === 0 && random.happens(0.2)) return outOfRange(random)
  return random.pick([0, 2, -2, 30, -30, -30]) * (0.5 + random.next() / 2)
}

/** A wall clock that no record can hold, or one near the edge, in seconds ahead: before 1970, or after 2262. */
const outOfRange = (random: SeededRandom): number => {
  const [earliest, latest] = [-1_700_000_000 - random.next() * 200, 7_523_372_036 - random.next() * 200]
  return random.pick([-1_800_000_000, earliest, latest, 7_600_000_000])
}

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

/** What a fault is drawn from. */
interface Draw {
  readonly random: SeededRandom
  readonly profile: Name
  readonly processes: number
  readonly lease: number
  readonly anybody: number
  readonly target: Target
  /** A duration with this mean, in leases. */
  readonly around: (leases: number) => number
}

type Parameters<Kind extends FaultKind> = Omit<Fault<Kind>, "kind" | "at">

/** Draws the parameters of each kind of fault. */
const draws: { readonly [kind in FaultKind]: (draw: Draw) => Parameters<kind> } = {
  storm: ({ profile, random }) => ({
    for: Math.min(longest, 5 + random.exponential(10)),
    rates: storm(random, profile)
  }),
  partition: ({ around, processes, random, target }) => {
    const others = random.shuffled(Array.from({ length: processes }, (_, index) => index))
    const targets = random.happens(0.7) ? [target] : others.slice(0, random.between(1, processes))
    return { for: around(1.2), targets, cut: random.pick(["both", "both", "requests", "replies"]) }
  },
  // An attempt to renew is given about a fifth of the lease: slower answers are as good as none.
  fade: ({ lease, random }) => ({ for: 2.4 * lease, target: "leader", delay: lease * (0.1 + 0.12 * random.next()) }),
  // A recovery takes seconds, and begins with a version a hundred million ahead; the rest is the way to the database.
  outage: ({ around, random }) =>
    random.happens(0.7) ? { for: 2 + 4 * random.next(), versions: 100_000_000 } : { for: around(1), versions: 0 },
  replace: ({ target }) => ({ target }),
  freeze: ({ around, target }) => ({ for: around(1.3), target }),
  suspend: ({ around, target }) => ({ for: around(1.3), target }),
  stall: ({ random, target }) => ({ for: 0.05 + random.exponential(0.3), target }),
  jump: ({ profile, random, target }) => {
    if (profile !== "operators" && random.happens(0.15)) return { target, by: outOfRange(random) }
    return { target, by: (random.happens(0.5) ? 1 : -1) * random.pick([0.1, 1, 5, 60]) * random.next() }
  },
  crash: ({ around, random, target }) => ({ target, restart: around(1), keepsId: random.happens(0.6) }),
  raise: ({ random }) => ({ by: random.between(-20, 40) }),
  lose: ({ around, random, target }) => ({ target, restart: around(1), keepsId: random.happens(0.6) }),
  sever: ({ target }) => ({ target }),
  unwitness: ({ target }) => ({ target }),
  stop: ({ around, random, target }) => {
    const keepsId = random.happens(0.8)
    const priority = random.happens(0.3) ? random.between(0, 10) : undefined
    return { target, restart: 0.2 + around(0.5), keepsId, priority }
  },
  deploy: ({ random }) => ({ each: 1 + random.next() * 3, priority: random.between(1, 20) }),
  prioritize: ({ anybody, random }) => ({ target: anybody, priority: random.between(0, 10) }),
  resign: () => ({}),
  duplicate: ({ around, target }) => ({ for: around(1.5), target }),
  configure: ({ profile, random }) => ({ config: config(random, false, profile) }),
  disable: ({ around }) => ({ for: around(1) }),
  "step-down": () => ({}),
  evict: () => ({}),
  garbage: ({ around, random }) => {
    const record = random.pick(["config", "leader", "lease", "challenge", "candidate"] as const)
    return { for: around(0.6), record }
  },
  forge: ({ random }) => ({ priority: random.between(-5, 5) }),
  usurp: () => ({}),
  "resign-late": ({ random }) => ({ for: 10 + 60 * random.next() })
}

/** An operator's change, and around it what makes it hard: see {@link meetings}. */
const meeting = (random: SeededRandom, at: number, lease: number): ReadonlyArray<Fault> => {
  const soon = (share: number) => at + random.next() * share * lease
  const some = (probability: number) => random.happens(0.6) ? probability : 0
  const other = lease * random.pick([0.2, 0.5, 1, 2])
  const trigger = random.pick<Trigger | undefined>([undefined, undefined, "renewal", "renewal", "claim", "resignation"])
  const change: Fault = random.happens(0.6)
    ? { kind: "configure", at, trigger, config: configOf(other, random.happens(0.85)) }
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
  const perhaps = (probability: number, make: () => Fault): ReadonlyArray<Fault> =>
    random.happens(probability) ? [make()] : []
  return [
    change,
    ...perhaps(0.7, () => ({
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
    })),
    ...perhaps(trigger === undefined ? 0.8 : 0.5, () =>
      how === "freeze" || how === "suspend"
        ? { kind: how, target: "leader", ...cut }
        : { kind: "partition", targets: ["leader"], cut: how, ...cut }),
    ...perhaps(0.5, () =>
      random.happens(0.7)
        ? { kind: "resign", at: soon(0.02) }
        : { kind: "crash", at: soon(0.4), target: "leader", restart: lease * random.next(), keepsId: true })
  ]
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

/** A scenario of a profile. The same arguments give the same scenario. */
export const generate = (profile: Name, seed: number, options: Options = {}): Scenario => {
  const random = new SeededRandom(seed, `scenario/${profile}`)
  const count = options.processes ?? 5
  const plain = profile === "calm" || (random.happens(0.4) && profile !== "late")
  const initial = config(random, plain, profile)
  const { lease } = initial
  const duration = options.duration ?? 600
  // The time without faults at the end is enough for the slowest recovery.
  const quietAt = Math.max(0, duration - Math.min(140, Math.max(55, duration / 3)))
  const processes = Array.from({ length: count }, (_, index) => process(random, profile, index, lease))
  // A release whose work cannot be done, and which is to be preferred.
  if (profile === "deployments" && random.happens(0.4)) {
    const broken = processes[0]!
    processes[0] = { ...broken, priority: 30, work: { ...broken.work, fails: random.pick([0, 0.05, 0.5]) } }
  }
  // Whoever is given a shard back while its finalizers run.
  if (profile === "shards") {
    const dismissed = processes[1]
    if (dismissed) processes[1] = { ...dismissed, work: { ...dismissed.work, finalizer: 0.3 * lease } }
  }
  const isPlain = profile === "witnesses" && random.happens(0.4)
  if (witnessed.has(profile)) {
    // Where each has a machine of its own, nobody is told of a death.
    const machines = isPlain && random.happens(0.5) ? count : random.pick([1, 2, 2, 3])
    for (const [index, plan] of processes.entries()) processes[index] = { ...plan, machine: index % machines }
  }
  const elections = electionsOf[profile]?.(random)
  const faults: Array<Fault> = []
  /** Adds faults at random instants from `begin` on, unless they would last too long. */
  const repeat = (
    concern: string,
    mean: number | undefined,
    begin: number,
    make: (own: SeededRandom, at: number) => ReadonlyArray<Fault>
  ): void => {
    if (mean === undefined) return
    const own = new SeededRandom(seed, `scenario/${profile}/${concern}`)
    for (let at = begin + own.exponential(mean); at < quietAt; at += own.exponential(mean)) {
      for (const made of make(own, at)) if (made.at + endOf(made, count) < quietAt) faults.push(made)
    }
  }
  /** Whether what strikes all elections of a process at once is left out. */
  const isApart = elections !== undefined && random.happens(0.5)
  const kinds = isApart ? ofOneElection : isPlain ? ofDeath : Object.keys(rates) as ReadonlyArray<FaultKind>
  for (const kind of kinds) {
    repeat(kind, rates[kind][kindOf(profile)], 0, (own, at) => {
      const anybody = own.between(0, count - 1)
      const target: Target = own.happens(0.6) ? "leader" : anybody
      const around = (leases: number) => Math.min(longest, own.exponential(leases * lease))
      const draw: Draw = { random: own, profile, processes: count, lease, anybody, target, around }
      const made = { kind, at, ...draws[kind](draw) } as Fault
      if (!canBeTriggered(made) || !own.happens(triggered[kindOf(profile)] ?? 0)) return [made]
      // For about a lease, so that the belief is over then, and others may lead or not.
      return [{ ...made, trigger: own.pick(["renewal", "send"]), for: lease * (0.4 + 0.8 * own.next()) }]
    })
  }
  if (!isApart) repeat("meetings", meetings[kindOf(profile)], 5, (own, at) => meeting(own, at, lease))
  // Watches that are lost all the time: what is missed then has to be noticed otherwise.
  if (profile === "late" || profile === "changes" || (elections !== undefined && !isApart)) {
    faults.push({ kind: "storm", at: 0, for: quietAt, rates: { lostWatch: 0.4 } })
  }
  const { every, of = [] } = races[profile] ?? races[kindOf(profile)] ?? {}
  if (!isApart && !isPlain) repeat("races", every, 5, (own, at) => race(own, own.pick(of), at, lease))
  faults.sort((a, b) => a.at - b.at)
  return { seed, profile, duration, quietAt, config: initial, ...(elections && { elections }), processes, faults }
}

/** Whether it strikes the leader, and goes on for a time. */
const canBeTriggered = (
  fault: Fault
): fault is Fault<"partition" | "freeze" | "suspend"> =>
  fault.kind === "partition"
    ? fault.targets.includes("leader")
    : (fault.kind === "freeze" || fault.kind === "suspend") && fault.target === "leader"

/** The longest time from the instant of a fault to its end. */
const endOf = (fault: Fault, processes: number): number => {
  if (fault.kind === "race") {
    return fault.for + longestHold + Math.max(0, ...fault.meanwhile.map((other) => endOf(other, processes)))
  }
  const waits = fault.trigger === undefined ? 0 : longestWait
  if (fault.kind === "crash" || fault.kind === "lose" || fault.kind === "stop") return waits + fault.restart
  if (fault.kind === "deploy") return waits + fault.each * (processes + 1)
  return waits + ("for" in fault ? fault.for : 0)
}
