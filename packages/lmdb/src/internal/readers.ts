/** The readers of an environment, of all processes, as LMDB lists them: process, thread, and transaction or a dash. */
import type { Root } from "./rootDatabase.ts"

export interface ListedReader {
  readonly pid: number
  /** What it reads; `undefined` where it reads nothing at present. */
  readonly transaction: number | undefined
  /** The same for as long as it reads that. */
  readonly key: string
}

const line = /^ *(\d+) +[\da-f]+ +(\d+|-) *$/gm

export const readersOf = (root: Root): ReadonlyArray<ListedReader> =>
  [...root.readerList().matchAll(line)].map(([key, pid, transaction]) => ({
    pid: Number(pid),
    transaction: transaction === "-" ? undefined : Number(transaction),
    key: key.trim()
  }))
