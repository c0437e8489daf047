/** A process that opens a database: `node opening.mjs DIRECTORY`. It says "opening" just before, and "open" when that is done. */
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const [directory] = process.argv.slice(2)
process.on("disconnect", () => process.exit(1))
process.send("opening")
await Effect.runPromise(Effect.scoped(Layer.build(LmdbDatabase.layer({ path: directory }))))
process.send("open")
