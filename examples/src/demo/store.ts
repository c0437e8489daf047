/** Where the demonstration is played: in an LMDB directory of its own, or on a FoundationDB cluster. */
import type { Database } from "@effect-fdb/core"
import { DatabaseConfig } from "@effect-fdb/database-config"
import type * as Layer from "effect/Layer"

/** As it is handed to the processes: `lmdb` and a directory, or `fdb` and a cluster file. */
export interface Store {
  readonly engine: string
  readonly place: string
}

/** The directory is removed in the end, so nothing in it has to survive a power failure. */
export const open = ({ engine, place }: Store): Layer.Layer<Database, Error> =>
  DatabaseConfig.open(
    engine === "fdb" ? { engine, clusterFile: place } : { engine: "lmdb", path: place, durability: "process" }
  )
