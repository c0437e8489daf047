import { Versionstamp } from "@effect-fdb/core"
import { LeaderState } from "@effect-fdb/leader-election"
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as ShardStatus from "../src/ShardStatus.ts"

const now = 1_000_000_000_000_000_000n

const led = (leaderId: string, secondsLeft: number): LeaderState =>
  new LeaderState({
    leaderId,
    priority: 1,
    registration: Versionstamp.make(new Uint8Array(10)),
    term: 1n,
    ballot: 1n,
    leaseDuration: Duration.seconds(10),
    leaseExpiry: now + BigInt(secondsLeft) * 1_000_000_000n
  })

const member = (id: string, secondsAgo: number) => ({
  id,
  weight: 1,
  since: now - 60_000_000_000n,
  lastHeartbeat: now - BigInt(secondsAgo) * 1_000_000_000n,
  isAlive: secondsAgo < 15
})

describe("the lasting part of the status of shards", () => {
  it("does not change with heartbeats and renewals, but when a lease lapses", () => {
    const at = (secondsLeft: number, secondsAgo: number) =>
      ShardStatus.lasting({
        coordinator: led("a", secondsLeft),
        members: [member("a", secondsAgo)],
        shards: [0, 1].map((shard) => ({ shard, owner: "a", standby: undefined, leader: led("a", secondsLeft) })),
        now
      })
    assert.deepStrictEqual(at(5, 1), at(8, 2))
    assert.notDeepEqual(at(5, 1), at(-1, 1))
    assert.notDeepEqual(at(5, 1), at(5, 20))
  })
})
