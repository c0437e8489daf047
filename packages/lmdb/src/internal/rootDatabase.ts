/** An environment of lmdb-js with keys and values of bytes, and the readers of all processes that LMDB lists for it. */
import type { RootDatabase } from "lmdb"

export type Root = RootDatabase<Uint8Array, Uint8Array>

/** A reader's slot. */
export interface ListedReader {
  readonly pid: number
  /** What it reads; `undefined` where it reads nothing at present. */
  readonly transaction: number | undefined
  /** The same for as long as it reads that. */
  readonly key: string
}

/** Process, thread, and transaction or a dash. */
const line = /^ *(\d+) +[\da-f]+ +(\d+|-) *$/gm

export const readersOf = (root: Root): ReadonlyArray<ListedReader> =>
  [...root.readerList().matchAll(line)].map(([key, pid, transaction]) => ({
    pid: Number(pid),
    transaction: transaction === "-" ? undefined : Number(transaction),
    key: key.trim()
  }))
