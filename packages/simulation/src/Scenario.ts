/** The input that determines a history, as plain data. Times and durations are seconds of simulated time. */
import type { FaultRates } from "./FaultRates.ts"
import type { CommitKind } from "./internal/commitKind.ts"
import type { Cut } from "./Link.ts"
import type { Trigger } from "./Triggers.ts"

export interface Config {
  readonly lease: number
  readonly heartbeat: number
  readonly candidateTimeout: number
  readonly preemption: boolean
}

/** The work of a leader. */
export interface Work {
  /** The mean pause between two steps. */
  readonly gap: number
  /** The share of steps that write under `guard`, and that of steps that send to the sink. */
  readonly guarded: number
  readonly external: number
  /** The share of steps that write to a journal under `guard` without reads. Such a write conflicts only with the end of the tenure. */
  readonly journal?: number | undefined
  /** The work ends by itself after about this time. If unset, it never does. */
  readonly lasts?: number | undefined
  /** The work holds a resource and a fiber in the scope of its tenure. */
  readonly scoped?: boolean | undefined
  /** A fiber outside of the work also writes under `guard`. */
  readonly outside?: boolean | undefined
  /** The work fails after this time in every tenure. */
  readonly fails?: number | undefined
  /** The duration of its finalizer. */
  readonly finalizer: number
  /** The timeout of its guarded writes. A commit cannot be interrupted. */
  readonly guardTimeout: number
}

/** A process and its host. */
export interface ProcessPlan {
  readonly id: string
  readonly priority: number
  readonly starts: number
  /** The error of the rate of its clocks, in parts per million. Positive: too fast. */
  readonly drift: number
  /** The time by which its wall clock is ahead. */
  readonly wallOffset: number
  /** The machine on which it runs, whose processes witness each other's death. If unset, it has no witness. */
  readonly machine?: number | undefined
  /** The safety margin as a share of the lease. If unset, the default of the library. */
  readonly margin?: number | undefined
  readonly work: Work
}

/** A process by its index, the one that leads when the fault begins, or the one that was appointed last. */
export type Target = number | "leader" | "appointed"

type Lasting = { readonly for: number }
type Targeted = { readonly target: Target }
type Restarting = { readonly restart: number; readonly keepsId: boolean }

/** The parameters of each kind of fault or action of an operator. */
interface Kinds {
  readonly storm: Lasting & { readonly rates: Partial<FaultRates> }
  readonly partition: Lasting & { readonly targets: ReadonlyArray<Target>; readonly cut: Cut }
  /** A link whose replies are late by `delay`, and which is cut after half of the time. */
  readonly fade: Lasting & Targeted & { readonly delay: number }
  readonly outage: Lasting & { readonly versions: number }
  readonly freeze: Lasting & Targeted
  readonly suspend: Lasting & Targeted
  readonly stall: Lasting & Targeted
  /** The database that the process has open is replaced. From then on each request of the process fails. */
  readonly replace: Targeted
  readonly jump: Targeted & { readonly by: number }
  readonly crash: Targeted & Restarting
  /** The machine of a process is lost, with everything that runs on it, and comes back. */
  readonly lose: Targeted & Restarting
  /** The connections of a witness end, though its process lives. */
  readonly sever: Targeted
  /** A process closes its witness, and goes on. */
  readonly unwitness: Targeted
  readonly stop: Targeted & Restarting & { readonly priority?: number | undefined }
  readonly deploy: { readonly each: number; readonly priority: number }
  readonly prioritize: Targeted & { readonly priority: number }
  readonly resign: unknown
  readonly duplicate: Lasting & Targeted
  readonly configure: { readonly config: Config }
  readonly disable: Lasting
  readonly "step-down": unknown
  readonly evict: unknown
  /** An operator lets terms begin above the ballot by so many, which may be less than nothing: then nothing changes. */
  readonly raise: { readonly by: number }
  readonly garbage: Lasting & { readonly record: "config" | "leader" | "lease" | "challenge" | "candidate" }
  readonly forge: { readonly priority: number }
  /** An operator claims the leadership through the transaction-level interface, and lets the lease lapse. */
  readonly usurp: unknown
  /** An operator reads who leads, and resigns for that tenure later, when another stands. That must have no effect. */
  readonly "resign-late": Lasting
  /**
   * Delays the first commit of a kind within the time. The faults of `meanwhile` begin when it arrives; their `at` is
   * relative to that. If `until` is set, the commit waits until one of that kind arrives, and is placed before or behind
   * that one in its batch, or in a later batch.
   */
  readonly race: Lasting & {
    readonly commit: CommitKind
    readonly until?: CommitKind | undefined
    readonly place: "before" | "behind" | "later"
    readonly meanwhile: ReadonlyArray<Fault>
  }
}

/**
 * A scheduled fault or action of an operator. With a trigger, it begins at the next event of that kind after `at`, or after
 * `longestWait` at the latest. The target `leader` is then the process that caused the event.
 */
export type Fault<Kind extends keyof Kinds = keyof Kinds> = {
  [kind in Kind]: { readonly kind: kind; readonly at: number; readonly trigger?: Trigger | undefined } & Kinds[kind]
}[Kind]

/** The longest time that a fault waits for its trigger. */
export const longestWait = 5

/** The longest delay of a commit in a race. Its read version is too old after that. */
export const longestHold = 5

export interface Scenario {
  readonly seed: number
  readonly profile: string
  readonly duration: number
  /** From this time on there are no faults, and every process runs. */
  readonly quietAt: number
  readonly config: Config
  /** In what every process takes part: so many elections, an election with so many slots, or so many shards. If unset, in one election. */
  readonly elections?: { readonly as: "elections" | "slots" | "shards"; readonly count: number } | undefined
  readonly processes: ReadonlyArray<ProcessPlan>
  readonly faults: ReadonlyArray<Fault>
}
