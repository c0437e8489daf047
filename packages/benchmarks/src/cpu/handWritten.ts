/**
 * The smallest possible renewal: bare promises, no supervision, no retry, no deadline. It reads the record at the version of its last
 * commit, and writes it if it has not changed.
 */
import { type Engine, KeyRange } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
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

/** Leads one election. The returned function stops that. */
const lead = ({ clock, engine, renewed }: Surroundings, name: string): () => void => {
  const key = leaseKey(name)
  let version: bigint | undefined
  let stop = (): void => {}
  const arm = (): void => {
    stop = clock.after(pauseMillis(Math.random()), () => void renew())
  }
  const renew = async (): Promise<void> => {
    const transaction = engine.begin(options)
    if (version !== undefined) Effect.runSync(transaction.setReadVersion(version))
    const ballot = decodeBallot(await Effect.runPromise(transaction.get(key, true)))
    const value = encodeLease(ballot + 1n, clock.currentTimeMillisUnsafe() + leaseMillis)
    transaction.addReadConflict(KeyRange.single(key))
    transaction.mutate({ _tag: "Set", key, value })
    const committed = await Effect.runPromise(transaction.commit)
    Effect.runSync(transaction.dispose)
    version = committed.version
    renewed()
    arm()
  }
  arm()
  return () => stop()
}

export const handWritten: Leader = (surroundings) =>
  Effect.acquireRelease(
    Effect.sync(() => names(surroundings.elections).map((name) => lead(surroundings, name))),
    (stops) => Effect.sync(() => stops.forEach((stop) => stop()))
  )
