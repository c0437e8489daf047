import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Assignment from "../../../src/internal/shards/assignment.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Members by their weights; who leaves and who joins from one assignment to the next is seen from these. */
const Weights = Schema.Array(between(0, 5)).check(Schema.isMaxLength(8))
const Shards = between(1, 70)

const members = (weights: ReadonlyArray<number>): ReadonlyArray<Assignment.Member> =>
  weights.map((weight, i) => ({ id: `m${i}`, weight }))

/** The assignments to one set of members after the other. */
const after = (shards: number, sets: ReadonlyArray<ReadonlyArray<number>>) => {
  let assignment = Assignment.unassigned(shards)
  for (const weights of sets) assignment = Assignment.assign(assignment, members(weights))
  return assignment
}

const countOf = (ids: ReadonlyArray<string | undefined>, id: string) => ids.filter((owner) => owner === id).length

/** How far a member's shards are from its weighted mean, at the most. */
const deviation = (owners: ReadonlyArray<string | undefined>, among: ReadonlyArray<Assignment.Member>) => {
  const total = among.reduce((sum, { weight }) => sum + weight, 0)
  return Math.max(0, ...among.map(({ id, weight }) => Math.abs(countOf(owners, id) - owners.length * weight / total)))
}

/** The owners once one member has died, as its standbys take over. */
const deathOf = (id: string, { owners, standbys }: Assignment.Assignment) =>
  owners.map((owner, shard) => owner === id ? standbys[shard] : owner)

const sharing = (weights: ReadonlyArray<number>) => members(weights).filter(({ weight }) => weight > 0)

/** The least number of shards that have to change their owner, by trying all ways of rounding. */
const leastMoves = (former: ReadonlyArray<string | undefined>, among: ReadonlyArray<Assignment.Member>) => {
  const shards = former.length
  const total = among.reduce((sum, { weight }) => sum + weight, 0)
  // The most shards that can stay, by how many were handed out.
  let stay = new Map([[0, 0]])
  for (const { id, weight } of among) {
    const next = new Map<number, number>()
    for (const [given, kept] of stay) {
      // Whole numbers, so that no mean is rounded by the arithmetic.
      for (const quota of new Set([Math.floor(shards * weight / total), Math.ceil(shards * weight / total)])) {
        next.set(
          given + quota,
          Math.max(next.get(given + quota) ?? 0, kept + Math.min(quota, countOf(former, id)))
        )
      }
    }
    stay = next
  }
  return shards - stay.get(shards)!
}

describe("an assignment", () => {
  it.prop("gives each member its weighted mean, within one, whoever came and went before", {
    shards: Shards,
    sets: Schema.Array(Weights).check(Schema.isMinLength(1), Schema.isMaxLength(5))
  }, ({ sets, shards }) => {
    const { owners } = after(shards, sets)
    const among = sharing(sets.at(-1)!)
    assert.isTrue(owners.every((owner) => among.length === 0 ? owner === undefined : owner !== undefined))
    assert.isBelow(deviation(owners, among), 1)
    for (const { id } of members(sets.at(-1)!).filter(({ weight }) => weight === 0)) {
      assert.strictEqual(countOf(owners, id), 0)
    }
  })

  it.prop("moves as few shards as it can", {
    shards: Shards,
    sets: Schema.Array(Weights).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
    last: Weights
  }, ({ last, sets, shards }) => {
    const former = after(shards, sets)
    const among = sharing(last)
    if (among.length === 0) return
    const isSharing = (id: string | undefined) => among.some((member) => member.id === id)
    // Of a shard whose owner is gone, the standby has taken over.
    const effective = former.owners.map((owner, shard) => isSharing(owner) ? owner : former.standbys[shard])
    const { owners } = Assignment.assign(former, members(last))
    const moves = owners.filter((owner, shard) => owner !== effective[shard]).length
    assert.strictEqual(moves, leastMoves(effective, among))
  })

  it.prop("leaves the shards balanced after the death of any one of equal members, and moves none once that is known", {
    shards: Shards,
    history: Schema.Array(Schema.Array(between(0, 1)).check(Schema.isMaxLength(8))).check(Schema.isMaxLength(4)),
    size: between(2, 8)
  }, ({ history, shards, size }) => {
    const all = Array.from({ length: size }, () => 1)
    const assignment = after(shards, [...history, all])
    for (const { id } of members(all)) {
      const owners = deathOf(id, assignment)
      const left = members(all).filter((member) => member.id !== id)
      assert.isBelow(deviation(owners, left), 1)
      assert.deepStrictEqual(Assignment.assign(assignment, left).owners, owners)
    }
  })

  it.prop("leaves the shards within two of the mean after the death of any one of members of different weights", {
    shards: Shards,
    sets: Schema.Array(Weights).check(Schema.isMinLength(1), Schema.isMaxLength(4))
  }, ({ sets, shards }) => {
    const assignment = after(shards, sets)
    const among = sharing(sets.at(-1)!)
    if (among.length < 2) return
    for (const { id } of among) {
      assert.isBelow(deviation(deathOf(id, assignment), among.filter((member) => member.id !== id)), 2)
    }
  })

  it.prop("gives each shard a standby that is not its owner, as long as two share them", {
    shards: Shards,
    sets: Schema.Array(Weights).check(Schema.isMinLength(1), Schema.isMaxLength(4))
  }, ({ sets, shards }) => {
    const { owners, standbys } = after(shards, sets)
    const isShared = sharing(sets.at(-1)!).length > 1
    for (const [shard, standby] of standbys.entries()) {
      assert.strictEqual(standby !== undefined, isShared)
      if (isShared) assert.notStrictEqual(standby, owners[shard])
    }
  })

  it.prop("depends neither on the order of the members nor on when it is made, and stays while they do", {
    shards: Shards,
    sets: Schema.Array(Weights).check(Schema.isMinLength(1), Schema.isMaxLength(4))
  }, ({ sets, shards }) => {
    const former = after(shards, sets.slice(0, -1))
    const last = members(sets.at(-1)!)
    const assignment = Assignment.assign(former, last)
    assert.deepStrictEqual(Assignment.assign(former, last.toReversed()), assignment)
    assert.deepStrictEqual(Assignment.assign(assignment, last), assignment)
  })

  it("lets all the others take over from who dies, and each give to who joins", () => {
    const four = after(1024, [[1], [1, 1], [1, 1, 1], [1, 1, 1, 1]])
    const taking = four.standbys.filter((_, shard) => four.owners[shard] === "m0")
    assert.deepStrictEqual(["m1", "m2", "m3"].map((id) => countOf(taking, id)).toSorted(), [85, 85, 86])
    const five = Assignment.assign(four, members([1, 1, 1, 1, 1]))
    const given = four.owners.filter((_, shard) => five.owners[shard] === "m4")
    assert.deepStrictEqual(["m0", "m1", "m2", "m3"].map((id) => countOf(given, id)).toSorted(), [51, 51, 51, 51])
  })

  it("counts fractions of a weight as exactly as whole ones", () => {
    const thirds = Assignment.assign(Assignment.unassigned(3), members([0.1, 0.1, 0.1]))
    assert.deepStrictEqual(thirds.owners.toSorted(), ["m0", "m1", "m2"])
    const tiny = Assignment.assign(Assignment.unassigned(9), members([1e-300, 2e-300]))
    assert.strictEqual(countOf(tiny.owners, "m1"), 6)
    const huge = Assignment.assign(Assignment.unassigned(9), members([1_000_000, 1e-300]))
    assert.strictEqual(countOf(huge.owners, "m0"), 9)
  })
})

describe("members of whom it is not known whether they live", () => {
  it.prop(
    "keep what they own, and so do the others; once it is known, nothing moves that would not have moved at once",
    {
      shards: Shards,
      living: between(1, 5),
      suspects: between(1, 5)
    },
    ({ living, shards, suspects }) => {
      const all = members(Array.from({ length: living + suspects }, () => 1))
      const alive = all.slice(0, living)
      const isSuspect = (id: string) => !alive.some((member) => member.id === id)
      const former = Assignment.assign(Assignment.unassigned(shards), all)
      const meanwhile = Assignment.assignWithSuspects(former, alive, new Set(all.map(({ id }) => id).filter(isSuspect)))
      assert.deepStrictEqual(meanwhile.owners, former.owners)
      for (const [shard, owner] of meanwhile.owners.entries()) {
        if (isSuspect(owner!)) assert.isFalse(isSuspect(meanwhile.standbys[shard]!))
      }
      assert.deepStrictEqual(Assignment.assign(meanwhile, all).owners, former.owners)
      assert.deepStrictEqual(Assignment.assign(meanwhile, alive).owners, Assignment.assign(former, alive).owners)
    }
  )
})

describe("standbys that lead", () => {
  it("count as owners, so that none of them gives up what it leads where it need not", () => {
    const former = { owners: ["a", "a", "b", "b"], standbys: ["b", "c", "c", "a"] }
    const led = Assignment.asLed(former, ["b", "c", "b", undefined])
    assert.deepStrictEqual(led, { owners: ["b", "c", "b", "b"], standbys: ["a", "a", "c", "a"] })
    const { owners } = Assignment.assign(led, [{ id: "b", weight: 1 }, { id: "c", weight: 1 }])
    assert.deepStrictEqual([owners[0], owners[1]], ["b", "c"])
    assert.deepStrictEqual(Assignment.asLed(former, ["x", undefined, "b", "b"]), former)
  })

  it.prop("are kept as owners by the next assignment, up to their weighted mean", {
    shards: Shards,
    size: between(3, 6),
    dead: between(0, 2)
  }, ({ dead, shards, size }) => {
    const all = members(Array.from({ length: size }, () => 1))
    const former = Assignment.assign(Assignment.unassigned(shards), all)
    const taken = deathOf(`m${dead}`, former)
    const left = all.filter(({ id }) => id !== `m${dead}`)
    assert.deepStrictEqual(Assignment.assign(Assignment.asLed(former, taken), left).owners, taken)
  })
})
