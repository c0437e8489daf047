/** Opens the stores of the command's engines; each is loaded when it is asked for. */
import type { Database } from "@effect-fdb/core"
import { DatabaseConfig } from "@effect-fdb/database-config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as path from "node:path"
import { codeOf } from "./errorCode.ts"
import { type LaggingReader, type OpenError, type Store, Stores } from "./selectedElection.ts"

/** The default directory comes into being with its first use; one that is given is the user's to make. */
const makeParents = (store: Store): void => {
  if (store.engine === "lmdb" && store.isDefault) {
    fs.mkdirSync(path.dirname(store.path), { recursive: true, mode: 0o700 })
  }
}

const open = (store: Store): Layer.Layer<Database, OpenError> =>
  Layer.unwrap(Effect.as(Effect.ignore(Effect.try(() => makeParents(store))), DatabaseConfig.open(store)))

/** Whatever else is wrong with the place than that nothing is there, the opening tells. */
const exists = (store: Store): boolean => {
  if (store.engine === "fdb") return true
  try {
    fs.statSync(path.join(store.path, "data.mdb"))
    return true
  } catch (cause) {
    return codeOf(cause) !== "ENOENT"
  }
}

const laggingReaders = (store: Store): Effect.Effect<ReadonlyArray<LaggingReader>, OpenError> =>
  store.engine === "fdb"
    ? Effect.succeed([])
    : Effect.flatMap(
      Effect.promise(() => import("@effect-fdb/lmdb")),
      ({ LmdbDatabase }) => LmdbDatabase.laggingReaders({ path: store.path })
    )

/** LMDB and FoundationDB. */
export const layer: Layer.Layer<Stores> = Layer.succeed(Stores, { exists, laggingReaders, open })
