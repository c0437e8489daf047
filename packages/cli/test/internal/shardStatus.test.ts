import { Versionstamp } from "@effect-fdb/core"
import type { ShardStatus as Status } from "@effect-fdb/http/ShardStatus"
import { LeaderState } from "@effect-fdb/leader-election"
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import stringWidth from "string-width"
import * as ShardStatus from "../../src/internal/shardStatus.ts"

const now = 1_000_000_000_000_000_000n

const led = (leaderId: string, term: number, secondsLeft = 5): LeaderState =>
  new LeaderState({
    leaderId,
    priority: 1,
    registration: Versionstamp.make(new Uint8Array(10)),
    term: BigInt(term),
    ballot: BigInt(term),
    leaseDuration: Duration.seconds(10),
    leaseExpiry: now + BigInt(secondsLeft) * 1_000_000_000n
  })

const member = (id: string, secondsAgo: number, weight = 1) => ({
  id,
  weight,
  since: now - 60_000_000_000n,
  lastHeartbeat: now - BigInt(secondsAgo) * 1_000_000_000n,
  isAlive: secondsAgo < 15
})

type Shards = Status["shards"]

const statusOf = (members: ReadonlyArray<string>, shards: Shards): Status => ({
  coordinator: led("a", 1),
  members: members.map((id) => member(id, 1)),
  shards,
  now
})

const shardsOf = (count: number, of: (shard: number) => Omit<Shards[number], "shard">): Shards =>
  Array.from({ length: count }, (_, shard) => ({ shard, ...of(shard) }))

describe("ranges", () => {
  it("tell each number once, in order", () => {
    assert.deepStrictEqual(ShardStatus.ranges([]), [])
    assert.deepStrictEqual(ShardStatus.ranges([0]), ["0"])
    assert.deepStrictEqual(ShardStatus.ranges([0, 1, 2, 4, 6, 7]), ["0-2", "4", "6-7"])
  })
})

describe("the status of shards", () => {
  it("tells first of the shards that their owners do not lead, and by whom they are led", () => {
    const status: Status = {
      coordinator: led("b", 7, -2),
      members: [member("a", 1, 0.5), member("b", 20), { ...member("c", 90), lastHeartbeat: undefined }],
      shards: shardsOf(6, (shard) =>
        [
          { owner: "a", standby: "b", leader: led("a", 1) },
          { owner: "b", standby: "a", leader: led("a", 3) },
          { owner: "b", standby: "a", leader: led("a", 3) },
          { owner: "b", standby: "a", leader: led("b", 2, -2) },
          { owner: undefined, standby: undefined, leader: undefined },
          { owner: "d", standby: "a", leader: led("a", 2) }
        ][shard]!),
      now
    }
    assert.deepStrictEqual(ShardStatus.facts(status), [
      ["Shards", "6: 1 led by their owners, 3 led by others, 2 led by nobody"],
      ["Members", "1 alive; the coordinator is b, in term 7, whose lease has lapsed"]
    ])
    assert.deepStrictEqual(ShardStatus.details(status), [
      "  ! 1-2: owned by b, led by a",
      "  ! 3: owned by b, led by nobody: the lease of b has lapsed",
      "  ! 4: owned by nobody, led by nobody",
      "  ! 5: owned by d, led by a",
      "  a  weight 0.5  owns 1  leads 4  heartbeat 1 s ago            since 2001-09-09 01:45:40Z",
      "    leads in term 1: 0",
      "    leads in term 2: 5",
      "    leads in term 3: 1-2",
      "    stands by for: 1-3, 5",
      "  b  weight 1    owns 3  leads 0  dead: heartbeat 20 s ago     since 2001-09-09 01:45:40Z",
      "    stands by for: 0",
      "  c  weight 1    owns 0  leads 0  dead: evicted                since 2001-09-09 01:45:40Z",
      "  d  no member   owns 1  leads 0  has left, or was found dead"
    ])
  })

  it("of 1,024 shards fits on a screen, whatever their terms are", () => {
    const ids = ["a", "b", "c", "d"]
    const shards = shardsOf(1024, (shard) => {
      const [owner, standby] = [ids[shard >> 8]!, ids[((shard >> 8) + 1) % 4]!]
      return { owner, standby, leader: led(owner, 1 + shard % 100) }
    })
    const status = statusOf(ids, shards)
    assert.deepStrictEqual(ShardStatus.facts(status)[0], ["Shards", "1024, each led by its owner"])
    const details = ShardStatus.details(status)
    assert.lengthOf(details, 12)
    assert.deepStrictEqual(details.slice(1, 3), ["    leads in terms 1 to 100: 0-255", "    stands by for: 768-1023"])
    // Neighbours are led in two terms by turns.
    const alternating = statusOf(
      ["a"],
      shardsOf(1024, (shard) => ({
        owner: "a",
        standby: undefined,
        leader: led("a", 1 + shard % 2)
      }))
    )
    assert.deepStrictEqual(ShardStatus.details(alternating).slice(1), ["    leads in terms 1 to 2: 0-1023"])
    // No two of a member's shards are neighbours.
    const scattered = statusOf(
      ids,
      shardsOf(1024, (shard) => {
        const [owner, standby] = [ids[shard % 4]!, ids[(shard + 1) % 4]!]
        return { owner, standby, leader: led(owner, 1) }
      })
    )
    const lines = ShardStatus.details(scattered).filter((line) => line.startsWith("    "))
    assert.isAtMost(Math.max(...lines.map((line) => line.length)), 80)
    for (const line of ["0,", "1023"]) assert.isTrue(lines.some((text) => text.split(" ").includes(line)))
  })

  it("without a table tells the members", () => {
    const status = { ...statusOf(["a"], []), coordinator: undefined }
    assert.deepStrictEqual(ShardStatus.facts(status), [
      ["Shards", "not assigned yet"],
      ["Members", "1 alive; no coordinator"]
    ])
    assert.lengthOf(ShardStatus.details(status), 1)
  })

  it("wraps its lines by their width on a terminal, not by their length", () => {
    const owner = "日本".repeat(10)
    const shards = shardsOf(16, (shard) => ({
      owner: shard % 2 === 0 ? owner : "b",
      leader: undefined,
      standby: undefined
    }))
    const lines = ShardStatus.details(statusOf([owner, "b"], shards)).filter((line) => /^ {2}!|^ {6}/.test(line))
    assert.include(lines.join("\n"), owner)
    for (const line of lines) assert.isAtMost(stringWidth(line), 78)
  })
})
