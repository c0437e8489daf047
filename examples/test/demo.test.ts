import { assert, describe, it } from "@effect/vitest"
import type { CandidateReport } from "../src/demo/CandidateProcesses.ts"
import { judge } from "../src/demo/verdict.ts"

/** A tenure of a leader that believes in itself from `from` to `until`, and works from its beginning on. */
const tenure = (who: string, term: bigint, from: bigint, until: bigint): Array<CandidateReport> => [
  { who, _tag: "Elected", at: from, term, cause: "vacant", believesUntil: until },
  { who, _tag: "Work", at: from, term },
  { who, _tag: "Step", at: from, term }
]

describe("the demonstration's verdict", () => {
  it("is good where tenures follow one another", () => {
    const verdict = judge([...tenure("a", 1n, 0n, 10n), ...tenure("b", 2n, 10n, 20n)])
    assert.deepInclude(verdict, { overlaps: 0, lateSteps: 0, lateWrites: 0, termsStrictlyIncreasing: true })
    assert.deepStrictEqual(verdict.tenures.map(({ leader }) => leader), ["a", "b"])
  })

  it("counts a belief that ends by loss, or by its last renewal, whichever comes first", () => {
    const lost: CandidateReport = { who: "a", _tag: "Lost", at: 6n, term: 1n, reason: "resigned" }
    assert.strictEqual(judge([...tenure("a", 1n, 0n, 10n), lost, ...tenure("b", 2n, 7n, 20n)]).overlaps, 0)
    const renewed: CandidateReport = { who: "a", _tag: "Renewed", at: 5n, term: 1n, ballot: 2n, believesUntil: 15n }
    assert.strictEqual(judge([...tenure("a", 1n, 0n, 10n), renewed, ...tenure("b", 2n, 12n, 20n)]).overlaps, 1)
    const thawed: CandidateReport = { who: "a", _tag: "Lost", at: 30n, term: 1n, reason: "expired" }
    assert.strictEqual(judge([...tenure("a", 1n, 0n, 10n), ...tenure("b", 2n, 12n, 40n), thawed]).overlaps, 0)
  })

  it("sees beliefs that overlap, steps and writes that come too late, and terms that go back", () => {
    assert.strictEqual(judge([...tenure("a", 1n, 0n, 10n), ...tenure("b", 2n, 9n, 20n)]).overlaps, 1)
    const step: CandidateReport = { who: "a", _tag: "Step", at: 11n, term: 1n }
    const late = judge([...tenure("a", 1n, 0n, 10n), ...tenure("b", 2n, 10n, 20n), step])
    assert.deepInclude(late, { overlaps: 1, lateSteps: 1 })
    const [first, second] = judge([
      ...tenure("a", 1n, 0n, 10_000_000n),
      ...tenure("b", 2n, 10_000_000n, 20_000_000n),
      { who: "a", _tag: "Step", at: 12_000_001n, term: 1n }
    ]).tenures
    assert.deepStrictEqual([first?.overlapMillis, second?.overlapMillis], [0, 3])
    const write: CandidateReport = { who: "a", _tag: "LateWrite", at: 11n, term: 1n, refused: false }
    assert.strictEqual(judge([write]).lateWrites, 1)
    assert.isFalse(judge([...tenure("a", 2n, 0n, 5n), ...tenure("b", 2n, 6n, 9n)]).termsStrictlyIncreasing)
  })
})
