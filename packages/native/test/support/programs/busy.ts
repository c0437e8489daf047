/** Builds the layer while the main thread is busy for longer than the layer waits; prints what became of it. */
import { Database } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { Effect, Fiber } from "effect"

const build = Effect.match(
  Effect.provide(Effect.asVoid(Database), NativeDatabase.layer({ connectTimeout: "100 millis" })),
  { onFailure: (error) => error.message, onSuccess: () => "built" }
)

const program = Effect.gen(function*() {
  const fiber = yield* Effect.forkChild(build, { startImmediately: true })
  const until = Date.now() + 1500
  while (Date.now() < until);
  return yield* Fiber.join(fiber)
})

console.log(JSON.stringify(await Effect.runPromise(program)))
