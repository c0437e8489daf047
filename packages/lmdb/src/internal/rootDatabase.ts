/** An environment of lmdb-js, with keys and values of bytes. */
import type { RootDatabase } from "lmdb"

export type Root = RootDatabase<Uint8Array, Uint8Array>
