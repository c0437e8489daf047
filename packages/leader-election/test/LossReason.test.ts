import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Reasons from "../src/LossReason.ts"

describe("reasons", () => {
  it("the manual explains each", () => {
    const manual = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8")
    const { ElectionCause, LossReason, RecordedReason } = Reasons
    const all = [...LossReason.literals, ...RecordedReason.literals, ...ElectionCause.literals]
    assert.deepStrictEqual(all.filter((reason) => !manual.includes(`\`${reason}\``)), [])
  })

  it("are lower case, with hyphens, as they are stored and shown", () => {
    const all = [...Reasons.LossReason.literals, ...Reasons.ElectionCause.literals]
    assert.deepStrictEqual(all.filter((reason) => !/^[a-z]+(-[a-z]+)*$/.test(reason)), [])
  })
})
