// An application that leads the election `app/test` for as long as it lives, and says so when that is witnessed: with the witness of its store or one of its own.
import { LeaderElection } from "@effect-fdb/leader-election"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import { Witness } from "@effect-fdb/witness"
import { Effect, Layer } from "effect"
import { writeSync } from "node:fs"
import * as ElectionName from "../../dist/ElectionName.js"

const [directory, mode] = process.argv.slice(2)
const name = ElectionName.parse("app/test").success
const own = `${directory}/witness`
const layer = mode === "process"
  ? Layer.merge(
    LmdbDatabase.layer({ path: directory, witness: false }),
    Witness.layerProcess({ directory: own, arguments: ["--path", directory] })
  )
  : LmdbDatabase.layer({ path: directory })

LeaderElection.make(name.subspace).candidacy({ id: "app" }).pipe(
  Effect.flatMap(({ health, withLeadership }) =>
    withLeadership(() =>
      Effect.gen(function*() {
        while ((yield* health).witnesses === 0) yield* Effect.sleep(10)
        writeSync(1, "leads\n")
        return yield* Effect.never
      })
    )
  ),
  Effect.scoped,
  Effect.provide(layer),
  Effect.runPromise
)
