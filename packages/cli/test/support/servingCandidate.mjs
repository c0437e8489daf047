// An application that takes part in the election `app/test` and serves its part on a port, until it gets SIGTERM. Only for tests.
import { ElectionHttp } from "@effect-fdb/http"
import { LeaderElection } from "@effect-fdb/leader-election"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import { Effect, Fiber, Layer } from "effect"
import * as ElectionName from "../../dist/ElectionName.js"

const [path, id, port] = process.argv.slice(2)
const { subspace, text: name } = ElectionName.parse("app/test").success

const fiber = Effect.gen(function*() {
  const candidacy = yield* LeaderElection.make(subspace).candidacy({ id })
  yield* Layer.build(ElectionHttp.layerServer({ port: Number(port), elections: [{ name, subspace, candidacy }] }))
  return yield* candidacy.withLeadership(() => Effect.never, { again: true })
}).pipe(Effect.scoped, Effect.provide(LmdbDatabase.layer({ path })), Effect.runFork)

process.once("SIGTERM", () => Effect.runFork(Fiber.interrupt(fiber)))
