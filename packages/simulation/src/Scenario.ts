/**
 * What a history is made from: plain data, that can be printed, pasted into a test, and made smaller.
 *
 * Times and spans are seconds of simulated time, unless a name says otherwise. Together with its seed a scenario decides
 * everything.
 */
import type { FaultRates } from "./FaultRates.ts"
import type { CommitKind } from "./internal/commitKind.ts"
import type { Cut } from "./Link.ts"
import type { Trigger } from "./Triggers.ts"

/** The election's configuration at the beginning. */
export interface Config {
  readonly lease: number
  readonly heartbeat: number
  readonly candidateTimeout: number
  readonly preemption: boolean
}

/** What a process does while it leads. */
export interface Work {
  /** The pause between two steps, in seconds, on average. */
  readonly gap: number
  /** The share of steps that write under `guard`, and of those that write to the external sink. */
  readonly guarded: number
  readonly external: number
  /** The share that writes under `guard` without reading, into a journal: such a write conflicts with nothing else. */
  readonly journal?: number | undefined
  /** The work ends by itself after about so long; goes on for ever where it is not set. */
  readonly lasts?: number | undefined
  /** It holds something and has a fiber of its own, both in the scope of its tenure. */
  readonly scoped?: boolean | undefined
  /** A fiber that is none of the work's writes under `guard`, too. */
  readonly outside?: boolean | undefined
  /** It fails after so long, whenever it leads. */
  readonly fails?: number | undefined
  /** How long its finalizer takes. */
  readonly finalizer: number
  /** How long its guarded writes may take: a commit cannot be interrupted. */
  readonly guardTimeout: number
}

/** A process and its host. */
export interface ProcessPlan {
  readonly id: string
  readonly priority: number
  readonly starts: number
  /** How much too fast its clocks are, in parts of a million. */
  readonly drift: number
  /** How far its wall clock is ahead. */
  readonly wallOffset: number
  /** The safety margin as a share of the lease; the library's default where it is not set. */
  readonly margin?: number | undefined
  readonly work: Work
}

/** Which process: by its place, or whichever leads then. */
export type Target = number | "leader"

interface Lasting {
  readonly for: number
}

interface Targeted {
  readonly target: Target
}

interface Restarting {
  readonly restart: number
  readonly keepsId: boolean
}

/** What each kind of fault, or of an operator's act, is told besides when it begins. */
interface Kinds {
  readonly storm: Lasting & { readonly rates: Partial<FaultRates> }
  readonly partition: Lasting & { readonly targets: ReadonlyArray<Target>; readonly cut: Cut }
  /** A link that gets slow, its answers late by `delay`, and halfway through is cut. */
  readonly fade: Lasting & Targeted & { readonly delay: number }
  readonly outage: Lasting & { readonly versions: number }
  readonly freeze: Lasting & Targeted
  readonly suspend: Lasting & Targeted
  readonly stall: Lasting & Targeted
  /** What the process has open of the database is replaced: each request tells it so, for as long as it runs. */
  readonly replace: Targeted
  readonly jump: Targeted & { readonly by: number }
  readonly crash: Targeted & Restarting
  readonly stop: Targeted & Restarting & { readonly priority?: number | undefined }
  readonly deploy: { readonly each: number; readonly priority: number }
  readonly prioritize: Targeted & { readonly priority: number }
  readonly resign: unknown
  readonly duplicate: Lasting & Targeted
  readonly configure: { readonly config: Config }
  readonly disable: Lasting
  readonly "step-down": unknown
  readonly evict: unknown
  readonly garbage: Lasting & { readonly record: "config" | "leader" | "lease" | "challenge" | "candidate" }
  readonly forge: { readonly priority: number }
  /** An operator takes the leadership at once, as the transaction-level interface may, and lets the lease lapse. */
  readonly usurp: unknown
  /** An operator reads who leads, and resigns for that tenure much later, when another stands: which must do nothing. */
  readonly "resign-late": Lasting
  /**
   * `meanwhile` happens when the first commit of a kind arrives within a time, `at` counting from there. The commit is kept back
   * until one of the kind `until` arrives, where that is set, and then put into its batch, before or behind it, or into a later one.
   */
  readonly race: Lasting & {
    readonly commit: CommitKind
    readonly until?: CommitKind | undefined
    readonly place: "before" | "behind" | "later"
    readonly meanwhile: ReadonlyArray<Fault>
  }
}

/**
 * A scheduled fault, or an operator's act. With a trigger it strikes at the next moment of that kind from `at` on, and where it is
 * meant for the leader, the process that brought that moment about; at the latest after {@link longestWait}.
 */
export type Fault<Kind extends keyof Kinds = keyof Kinds> = {
  [kind in Kind]: { readonly kind: kind; readonly at: number; readonly trigger?: Trigger | undefined } & Kinds[kind]
}[Kind]

/** How long a fault waits for its trigger at most. */
export const longestWait = 5

/** How long a commit is kept back at most: its read version is too old then. */
export const longestHold = 5

/** Everything that a history is made from. */
export interface Scenario {
  readonly seed: number
  readonly profile: string
  readonly duration: number
  /** From then on nothing goes wrong any more, and every process runs. */
  readonly quietAt: number
  readonly config: Config
  readonly processes: ReadonlyArray<ProcessPlan>
  readonly faults: ReadonlyArray<Fault>
}
