import { Subspace } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { LeaderElection } from "../../../src/index.ts"

describe("the name of an election", () => {
  const nameOf = (...elements: Parameters<typeof Subspace.fromTuple>[0]) =>
    LeaderElection.make(Subspace.fromTuple(elements)).name

  it("is its subspace in words, also where a tuple is in it, as of the command", () => {
    assert.strictEqual(nameOf("app", "mailer"), "app/mailer")
    assert.strictEqual(nameOf("fdb-election", ["app", "mailer"]), "fdb-election/app/mailer")
    assert.strictEqual(nameOf("fdb-election", ["app", ["x"]], "shards", "3"), "fdb-election/app/x/shards/3")
  })

  it("is that of the slots and shards of an election, too", () => {
    const subspace = Subspace.fromTuple(["fdb-election", ["app", "mailer"]])
    assert.strictEqual(LeaderElection.slots(subspace, 2).elections[1]!.name, "fdb-election/app/mailer/slots/1")
    const { subspaceOf } = LeaderElection.shards(subspace, { shards: 3 })
    assert.strictEqual(LeaderElection.make(subspaceOf(2)).name, "fdb-election/app/mailer/shards/2")
  })

  it("is its bytes where it has more than texts", () => {
    assert.strictEqual(nameOf("app", 7n), "\\x02app\\x00\\x15\\x07")
    assert.strictEqual(nameOf("app", ["x", null]), "\\x02app\\x00\\x05\\x02x\\x00\\x00\\xff\\x00")
  })
})
