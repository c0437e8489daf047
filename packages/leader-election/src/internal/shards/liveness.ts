/**
 * Whether a member lives, as the coordinator sees it: a member that lives writes its record with each heartbeat. Only what the
 * coordinator proposes depends on it.
 *
 * What the coordinator has seen itself counts by its own monotonic clock. How old a record was when it was first seen, only the wall
 * clock tells, and that of another host: a member that seems dead by it is under suspicion until it had time to show itself.
 */

/** What a member writes: what it says of itself, seldom, and with each heartbeat its candidacy, unless that was evicted. */
export interface Signs {
  readonly member: string
  readonly candidate: string | undefined
}

/** Signs that a member has given, since when they have been seen unchanged, and how old they were then. */
export interface Sighting {
  readonly signs: Signs
  readonly since: bigint
  readonly age: bigint
}

/** Goes on with a sighting while there is no new sign. That a candidacy is gone is none. `age`: that of signs seen for the first time. */
export const sight = (previous: Sighting | undefined, signs: Signs, now: bigint, age: bigint): Sighting => {
  if (previous === undefined) return { signs, since: now, age: age > 0n ? age : 0n }
  const isNew = signs.member !== previous.signs.member ||
    (signs.candidate !== undefined && signs.candidate !== previous.signs.candidate)
  return isNew ? { signs, since: now, age: 0n } : previous
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
