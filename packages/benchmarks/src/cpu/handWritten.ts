/**
 * The leanest that can be written for a renewal: bare promises, no supervision, no retry, no deadline. It reads
 * the record at the version of its last commit, and writes it under the condition that it has not changed.
 */
import { type Engine, KeyRange } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import type { AcceleratedClock } from "./AcceleratedClock.ts"
import {
  decodeBallot,
  encodeLease,
  type Leader,
  leaseKey,
  leaseMillis,
  names,
  pauseMillis,
  type Surroundings
} from "./load.ts"

const options: Engine.AttemptOptions = {
  timeoutMillis: leaseMillis,
  sizeLimit: undefined,
  priority: "default",
  causalReadRisky: false,
  tag: undefined
}

class Election {
  private readonly engine: Engine.Engine
  private readonly key: Uint8Array
  private readonly range: KeyRange.KeyRange
  private readonly renewed: () => void
  private version: bigint | undefined = undefined
  private readonly clock: AcceleratedClock
  private cancel: (() => void) | undefined = undefined

  constructor({ renewed, clock, engine }: Surroundings, name: string) {
    this.engine = engine
    this.clock = clock
    this.key = leaseKey(name)
    this.range = KeyRange.single(this.key)
    this.renewed = renewed
    this.arm()
  }

  stop(): void {
    this.cancel?.()
  }

  private arm(): void {
    this.cancel = this.clock.after(pauseMillis(Math.random()), () => void this.beat())
  }

  private async beat(): Promise<void> {
    const transaction = this.engine.begin(options)
    if (this.version !== undefined) Effect.runSync(transaction.setReadVersion(this.version))
    const ballot = decodeBallot(await Effect.runPromise(transaction.get(this.key, true)))
    transaction.addReadConflict(this.range)
    transaction.mutate({
      _tag: "Set",
      key: this.key,
      value: encodeLease(ballot + 1n, this.clock.currentTimeMillisUnsafe() + leaseMillis)
    })
    const { version } = await Effect.runPromise(transaction.commit)
    Effect.runSync(transaction.dispose)
    this.version = version
    this.renewed()
    this.arm()
  }
}

export const handWritten: Leader = (surroundings) =>
  Effect.acquireRelease(
    Effect.sync(() => names(surroundings.elections).map((name) => new Election(surroundings, name))),
    (led) => Effect.sync(() => led.forEach((election) => election.stop()))
  )
