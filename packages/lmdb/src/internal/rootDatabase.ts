/** An environment of lmdb-js whose keys and values are bytes, and LMDB's list of its readers in all processes. */
import type { RootDatabase } from "lmdb"

export type Root = RootDatabase<Uint8Array, Uint8Array>

export interface ListedReader {
  readonly pid: number
  /** The transaction that it reads; `undefined` if it reads nothing at present. */
  readonly transaction: number | undefined
  /** Identifies this reader and its transaction. */
  readonly key: string
}

/** A line of the list: process, thread, and transaction or a dash. */
const line = /^ *(\d+) +[\da-f]+ +(\d+|-) *$/gm

export const readersOf = (root: Root): ReadonlyArray<ListedReader> =>
  [...root.readerList().matchAll(line)].map(([key, pid, transaction]) => ({
    pid: Number(pid),
    transaction: transaction === "-" ? undefined : Number(transaction),
    key: key.trim()
  }))
