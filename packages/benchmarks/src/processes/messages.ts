/** The start and the messages of a benchmark's processes. Times are milliseconds of the host's monotonic clock. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Store } from "./Store.ts"

/** Starts a program of this folder. It reads the argument by {@link argument}. */
export const start = (program: string, argument: unknown): ChildProcess =>
  fork(fileURLToPath(new URL(program, import.meta.url)), [JSON.stringify(argument)], {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })

/** The argument of this process. Makes the process end with its parent. */
export const argument = <A>(): A => {
  process.on("disconnect", () => process.exit(1))
  return JSON.parse(process.argv[2] ?? "") as A
}

/** A message from a candidate. None is sent during a handover, where it would affect the measurement. */
export type Report =
  /** It campaigns; `resigned` is the time of the last order to resign. */
  | { readonly kind: "campaigns"; readonly resigned: number | undefined; readonly usage: Usage }
  /** The work of a tenure has begun. */
  | { readonly kind: "works"; readonly index: number; readonly at: number }
  /** The work has ended. With `ticking`, `ticks` are the times of its last ticks. */
  | { readonly kind: "ended"; readonly index: number; readonly at: number; readonly ticks: ReadonlyArray<number> }
  | { readonly kind: "grown" }
  | { readonly kind: "used"; readonly usage: Usage }

/** What a process has done since its start. */
export interface Usage {
  readonly at: number
  readonly cpuMillis: number
  /** Confirmed renewals. */
  readonly renewed: number
  /** Tenures lost. */
  readonly lost: number
}

/** A message to a candidate. */
export type Order =
  /** Resign, and campaign again after `backAfter` milliseconds. */
  | { readonly kind: "resign"; readonly backAfter: number }
  | { readonly kind: "tell" }
  /** Use so much memory in all, at least. */
  | { readonly kind: "grow"; readonly megabytes: number }

/** The argument of a renewer. */
export interface RenewerAssignment {
  readonly store: Store
  /** The number of keys, each of which is committed once in a heartbeat, ±20 %. */
  readonly keys: number
  readonly heartbeatMillis: number
}

/** What a renewer has done since its start. */
export interface Commits {
  readonly commits: number
  readonly cpuMillis: number
  /** The milliseconds of the longest commit since the last report. */
  readonly longest: number
}

/** The argument of a candidate. */
export interface Assignment {
  readonly store: Store
  readonly subspace: string
  readonly id: string
  /** Elections with the same candidates, or one set of so many shards. */
  readonly of: "elections" | "shards"
  readonly elections: number
  /** Whether the work of an election does something every five milliseconds, and remembers when. */
  readonly ticking: boolean
  /** `ElectionConfig` in JSON; it creates the elections. */
  readonly config: unknown
}

/** The argument of a candidate of another leader election. Its messages are those of a candidate. */
export interface PeerAssignment {
  /** Host and port of its server. */
  readonly server: string
  readonly id: string
  readonly leaseMillis: number
}

/** The argument of a committer: `count` commits or wake-ups, or milliseconds of `idle`. */
export interface Job {
  readonly store: Store
  readonly subspace: string
  readonly job: "increment" | "listen" | "idle"
  readonly count: number
}
