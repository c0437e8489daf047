/**
 * Testing your own service: a cluster of candidates on the database in memory and the test clock, in which a minute of failover
 * takes no time. In a test file the body of `main` stands in `it.election` of `@effect-fdb/leader-election/testing/ElectionTest`.
 */
import * as TestCluster from "@effect-fdb/leader-election/testing/TestCluster"
import { Console, Effect } from "effect"
import { TestClock } from "effect/testing"

export const main = Effect.gen(function*() {
  const counts: Record<string, number> = {}

  /** The service under test: counts, ten times a second, in whichever process leads. */
  const count = (id: string) =>
    Effect.sync(() => void (counts[id] = (counts[id] ?? 0) + 1)).pipe(
      Effect.andThen(Effect.sleep("100 millis")),
      Effect.forever
    )

  const { candidates: [first, second], terms, working } = yield* TestCluster.make(2, (_, { id }) => count(id))
  yield* TestClock.adjust("1 minute")
  yield* Console.log(`while the first leads, the second counts ${counts[second!.id] ?? 0}`)
  yield* first!.stop
  yield* TestClock.adjust("1 second")
  yield* Console.log(`a second after the first was shut down, the second counts ${counts[second!.id]}`)
  yield* first!.start
  yield* second!.crash
  yield* TestClock.adjust("20 seconds")
  yield* Console.log(`after the second has crashed, ${yield* working} works, in tenure ${(yield* terms).length}`)
}).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
