/** Who leads, as a stream: driven by the watch on S("leader"), with polling where the watch is lost. */
import { Database, type FdbError, Transaction, type TransactionService } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { StoreError } from "../../ElectionError.ts"
import type { LeaderState } from "../../LeaderState.ts"
import { firstHeartbeat, isTransient } from "../candidate/contact.ts"
import * as Pacing from "../candidate/pacing.ts"
import { Watches } from "../candidate/watches.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { ElectionKeys } from "../storage/keys.ts"
import { toState } from "../storage/leaderState.ts"
import * as Reads from "../storage/reads.ts"

/** An id that no candidate has: nobody is being looked at but the leader. */
const nobody = ""

class Observer {
  private readonly keys: ElectionKeys
  private readonly watches: Watches
  private readonly sleep: (pause: Pacing.Pause) => Effect.Effect<void>
  private memory = Protocol.blank
  private heartbeat = firstHeartbeat
  private failures = 0
  /** Whether the election was ever found to be set up. */
  private hasSeen = false
  private pause: Pacing.Pause | undefined = undefined

  constructor(keys: ElectionKeys, watches: Watches, sleep: (pause: Pacing.Pause) => Effect.Effect<void>) {
    this.keys = keys
    this.watches = watches
    this.sleep = sleep
  }

  /** Who leads when it is time to look again. */
  readonly next: Effect.Effect<Option.Option<LeaderState>, StoreError, Database> = Effect
    .suspend(() =>
      Effect.andThen(this.wait(), this.look()).pipe(
        Effect.catchIf(
          (error): error is FdbError => error._tag === "FdbError" && isTransient(error),
          () =>
            Effect.suspend(() => {
              this.failures++
              return this.next
            })
        )
      )
    )

  private wait(): Effect.Effect<void> {
    if (this.failures > 0) return this.sleep({ about: Pacing.backOff(this.failures, this.heartbeat) })
    return this.pause === undefined ? Effect.void : this.watches.during(this.sleep(this.pause))
  }

  private look() {
    return Effect.gen({ self: this }, function*() {
      const { keys, watches } = this
      const clock = yield* Clock.Clock
      const reading = (tx: TransactionService): Effect.Effect<Reads.ElectionView | undefined, StoreError> => {
        const view = Reads.readView(tx.snapshot, keys, nobody)
        // One that was seen before was cleared.
        return this.hasSeen ? view : Effect.catchTag(view, "NotInitialized", () => Effect.undefined)
      }
      const { watchSet, view } = yield* Database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        watches.acknowledge()
        const [view, watchSet] = yield* Effect.all([
          reading(tx),
          watches.isWatching ? Effect.undefined : watches.set(tx, [keys.leader])
        ], { concurrency: "unbounded" })
        return { view, watchSet }
      }))
      if (watchSet !== undefined) yield* watches.use(watchSet)
      const now = clock.monotonicTimeNanosUnsafe()
      this.failures = 0
      if (view === undefined) {
        this.pause = { about: this.heartbeat }
        return Option.none<LeaderState>()
      }
      this.hasSeen = true
      this.heartbeat = Duration.toNanosUnsafe(view.config.heartbeatInterval)
      this.memory = Protocol.remember(this.memory, view, now)
      const { observation } = this.memory
      const lapsed = Protocol.hasLapsed(observation, view, now)
      const until = observation === undefined || lapsed ? undefined : Protocol.lapsesAt(observation)
      this.pause = { about: this.heartbeat, until }
      return lapsed ? Option.none<LeaderState>() : toState(view.leader, view.lease)
    })
  }
}

const sameTenure = Option.makeEquivalence<LeaderState>((a, b) => a.term === b.term)

/** See `LeaderElection.changes`. */
export const changes = (
  keys: ElectionKeys
): Stream.Stream<Option.Option<LeaderState>, StoreError, Database> =>
  Stream.unwrap(Effect.gen(function*() {
    const observer = new Observer(keys, yield* Watches.make, yield* Pacing.pacer)
    return Stream.changesWith(Stream.fromEffectRepeat(observer.next), sameTenure)
  }))
