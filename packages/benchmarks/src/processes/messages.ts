/** The processes of a benchmark: how they start, and their messages. Times are milliseconds of the host's monotonic clock. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Store } from "./Store.ts"

/** Starts a program of this folder with an argument, which it reads by {@link argument}. */
export const start = (program: string, argument: unknown): ChildProcess =>
  fork(fileURLToPath(new URL(program, import.meta.url)), [JSON.stringify(argument)], {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })

/** The argument of this process, which ends with the one that has started it. */
export const argument = <A>(): A => {
  process.on("disconnect", () => process.exit(1))
  return JSON.parse(process.argv[2] ?? "") as A
}

/** From a candidate. None is sent while a handover is under way: it would take time from what is measured. */
export type Report =
  /** It is back; `resigned` is when it was last asked to resign, and began to. */
  | { readonly kind: "campaigns"; readonly resigned: number | undefined }
  /** The work of a tenure has begun. */
  | { readonly kind: "works"; readonly at: number }
  /** The CPU time that it has used since it was started. */
  | { readonly kind: "used"; readonly cpuMillis: number }

/** To a candidate. */
export type Order =
  /** To resign, and to campaign again after so many milliseconds. */
  | { readonly kind: "resign"; readonly backAfter: number }
  | { readonly kind: "tell" }

/** What a candidate is started with. */
export interface Assignment {
  readonly store: Store
  readonly subspace: string
  readonly id: string
  /** In so many elections at once. */
  readonly elections: number
}
