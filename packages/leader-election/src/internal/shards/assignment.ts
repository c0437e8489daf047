/**
 * Which member owns which shard, and which one stands by for it. Pure and deterministic: members count by weight and id, not by the
 * order in which they are given.
 *
 * - Each member owns its weighted mean of the shards, rounded up or down.
 * - As few shards change their owner as that allows.
 * - A member's standbys are chosen so that each other member still has its weighted mean, rounded, once they own the shards. Where the
 *   weights are equal this always can be done; where they differ, it is done as nearly as the shards of one member allow.
 */

/** Who takes part, with its share. A member of weight 0 gets nothing. */
export interface Member {
  readonly id: string
  readonly weight: number
}

/** For each shard the member that is to lead it, and the one that takes over when that has died. */
export interface Assignment {
  readonly owners: ReadonlyArray<string | undefined>
  readonly standbys: ReadonlyArray<string | undefined>
}

/** The assignment of shards that nobody owns. */
export const unassigned = (shards: number): Assignment => ({
  owners: Array.from({ length: shards }, () => undefined),
  standbys: Array.from({ length: shards }, () => undefined)
})

export const sameAssignment = (a: Assignment, b: Assignment): boolean =>
  a.owners.length === b.owners.length &&
  a.owners.every((owner, shard) => owner === b.owners[shard] && a.standbys[shard] === b.standbys[shard])

/** Below this a fraction of a shard is an error of the arithmetic. */
const resolution = 1e-9

const count = (ids: ReadonlyArray<string | undefined>): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const id of ids) if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

/**
 * How many shards each member is to have: its weighted mean, rounded. Those are rounded up first that have more than the rounded-down
 * mean already, for each of them spares a move; then those with the largest fraction.
 */
export const quotas = (
  members: ReadonlyArray<Member>,
  held: ReadonlyMap<string, number>,
  shards: number
): Map<string, number> => {
  const total = members.reduce((sum, { weight }) => sum + weight, 0)
  const shares = members.map(({ id, weight }) => {
    const mean = shards * (weight / total)
    const least = Math.floor(mean + resolution)
    return { id, least, fraction: mean - least, keeps: (held.get(id) ?? 0) > least && mean - least > resolution }
  })
  const rest = shards - shares.reduce((sum, { least }) => sum + least, 0)
  const roundedUp = new Set(
    shares
      .toSorted((a, b) => Number(b.keeps) - Number(a.keeps) || b.fraction - a.fraction || (a.id < b.id ? -1 : 1))
      .slice(0, rest)
      .map(({ id }) => id)
  )
  return new Map(shares.map(({ id, least }) => [id, least + (roundedUp.has(id) ? 1 : 0)]))
}

/** Gives each shard that has nobody to those who lack some, in the order of their ids. */
const fill = (ids: Array<string | undefined>, lacking: Map<string, number>): void => {
  const receivers = [...lacking].flatMap(([id, lacks]) => lacks > 0 ? Array.from({ length: lacks }, () => id) : [])
  let next = 0
  for (const [shard, id] of ids.entries()) if (id === undefined) ids[shard] = receivers[next++]
}

/** The owners after the former ones: of a shard whose owner is gone, the standby counts as the former owner. */
const assignOwners = (former: Assignment, members: ReadonlyArray<Member>): Array<string | undefined> => {
  const isMember = new Set(members.map(({ id }) => id))
  const among = (id: string | undefined) => id !== undefined && isMember.has(id) ? id : undefined
  const owners = former.owners.map((owner, shard) => among(owner) ?? among(former.standbys[shard]))
  const lacking = quotas(members, count(owners), owners.length)
  for (const [id, held] of count(owners)) lacking.set(id, lacking.get(id)! - held)
  const give = (shard: number, to: string | undefined) => {
    const owner = owners[shard]!
    lacking.set(owner, lacking.get(owner)! + 1)
    if (to !== undefined) lacking.set(to, lacking.get(to)! - 1)
    owners[shard] = to
  }
  const isSurplus = (owner: string | undefined): boolean => owner !== undefined && lacking.get(owner)! < 0
  // A standby follows the shard already.
  for (const [shard, owner] of owners.entries()) {
    const standby = among(former.standbys[shard])
    if (isSurplus(owner) && standby !== undefined && lacking.get(standby)! > 0) give(shard, standby)
  }
  for (let shard = owners.length - 1; shard >= 0; shard--) if (isSurplus(owners[shard])) give(shard, undefined)
  fill(owners, lacking)
  return owners
}

/** Who takes over the shards of each member, should that be the next to die. */
const assignStandbys = (
  former: Assignment,
  members: ReadonlyArray<Member>,
  owners: ReadonlyArray<string | undefined>
): Array<string | undefined> => {
  const standbys: Array<string | undefined> = owners.map(() => undefined)
  if (members.length < 2) return standbys
  const held = count(owners)
  const shardsOf = new Map(members.map(({ id }) => [id, [] as Array<number>]))
  for (const [shard, owner] of owners.entries()) shardsOf.get(owner!)!.push(shard)
  for (const [id, shards] of shardsOf) {
    if (shards.length === 0) continue
    const lacking = quotas(members.filter((other) => other.id !== id), held, owners.length)
    for (const [other, quota] of lacking) lacking.set(other, quota - (held.get(other) ?? 0))
    const taken = shards.map((shard) => {
      const standby = former.standbys[shard]
      const lacks = standby === undefined ? 0 : lacking.get(standby) ?? 0
      if (standby === undefined || lacks <= 0) return undefined
      lacking.set(standby, lacks - 1)
      return standby
    })
    fill(taken, lacking)
    for (const [i, shard] of shards.entries()) standbys[shard] = taken[i]
  }
  return standbys
}

/** The assignment to these members, after a former one. */
export const assign = (former: Assignment, members: ReadonlyArray<Member>): Assignment => {
  const sharing = members.filter(({ weight }) => weight > 0).toSorted((a, b) => a.id < b.id ? -1 : 1)
  if (sharing.length === 0) return unassigned(former.owners.length)
  const owners = assignOwners(former, sharing)
  return { owners, standbys: assignStandbys(former, sharing, owners) }
}

/**
 * The assignment while it is not known whether some of the members live, which are not among the `living`. Nobody loses a shard who may
 * live and may have it; whoever is to own it once they are known to be dead stands by for it.
 */
export const assignWithSuspects = (
  former: Assignment,
  living: ReadonlyArray<Member>,
  suspects: ReadonlySet<string>
): Assignment => {
  const { owners, standbys } = assign(former, living)
  const mayKeep = new Set(living.filter(({ weight }) => weight > 0).map(({ id }) => id))
  const kept = former.owners.map((owner) => owner !== undefined && (suspects.has(owner) || mayKeep.has(owner)))
  return {
    owners: owners.map((owner, shard) => kept[shard] ? former.owners[shard] : owner),
    standbys: standbys.map((standby, shard) =>
      kept[shard] && owners[shard] !== former.owners[shard] ? owners[shard] : standby
    )
  }
}

/** The assignment as it has come: a standby that leads counts as the owner. */
export const asLed = ({ owners, standbys }: Assignment, leaders: ReadonlyArray<string | undefined>): Assignment => {
  const hasTaken = standbys.map((standby, shard) => standby !== undefined && standby === leaders[shard])
  return {
    owners: owners.map((owner, shard) => hasTaken[shard] ? standbys[shard] : owner),
    standbys: standbys.map((standby, shard) => hasTaken[shard] ? owners[shard] : standby)
  }
}

/** Whether a standby is to take over a shard: those wait who need it. */
export const promotes = (former: Assignment, next: Assignment): boolean =>
  next.owners.some((owner, shard) =>
    owner !== undefined && owner !== former.owners[shard] && owner === former.standbys[shard]
  )
