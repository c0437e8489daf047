/**
 * Whether a member lives, as the coordinator sees it: a member that lives writes its record with each heartbeat. Only what the
 * coordinator proposes depends on it.
 *
 * What the coordinator has seen itself counts by its own monotonic clock. How old a record was when it was first seen, only the wall
 * clock tells, and that of another host: a member that seems dead by it is under suspicion until it had time to show itself.
 */

/** A member's record, since when it has been seen unchanged, and how old it was then by the wall clock. */
export interface Sighting {
  readonly record: string
  readonly since: bigint
  readonly age: bigint
}

/** Goes on with a sighting while the record stays as it is. `age`: that of a record which was there before anybody looked. */
export const sight = (previous: Sighting | undefined, record: string, now: bigint, age: bigint): Sighting => {
  if (previous?.record === record) return previous
  return { record, since: now, age: previous === undefined && age > 0n ? age : 0n }
}

export type Liveness = "alive" | "suspected" | "dead"

/** What a sighting says at `now`. */
export const liveness = (
  { age, since }: Sighting,
  now: bigint,
  { heartbeat, timeout }: { readonly heartbeat: bigint; readonly timeout: bigint }
): Liveness => {
  const observed = now - since
  if (observed + age < timeout) return "alive"
  // Two heartbeats of a follower, which come a little later than those of a leader.
  return observed < timeout && observed < 3n * heartbeat ? "suspected" : "dead"
}
