import { assert, describe, it } from "@effect/vitest"
import { judge, type Judgement, type Led } from "./support/judge.ts"

const led = (server: number, term: number, sent: number, received: number): Led => ({
  server,
  term: BigInt(term),
  sent,
  received
})

const contradicts = ({ contradictions }: Judgement) => contradictions.length > 0

describe("answers by which servers lead", () => {
  it("fit together where one server follows another", () => {
    const { contradictions, late, terms } = judge([led(0, 1, 0, 2), led(0, 1, 3, 5), led(1, 4, 6, 8), led(0, 9, 8, 9)])
    assert.deepStrictEqual({ contradictions, late, terms }, {
      contradictions: [],
      late: { count: 0, mostMillis: 0 },
      terms: 3
    })
  })

  it("fit together where the earlier leader's was asked for before the later one's had come, however late it comes", () => {
    const { contradictions, late } = judge([led(0, 1, 0, 100), led(1, 4, 1, 2)])
    assert.deepStrictEqual(contradictions, [])
    assert.deepStrictEqual(late, { count: 1, mostMillis: 98 })
  })

  it("contradict each other where both led at one instant", () => {
    assert.isTrue(contradicts(judge([led(0, 1, 0, 1), led(1, 4, 2, 3), led(0, 1, 4, 5)])))
    assert.isTrue(contradicts(judge([led(0, 1, 0, 10), led(1, 4, 1, 2), led(0, 1, 3, 4)])))
  })

  it("contradict each other where an earlier leader leads again, in whatever order they are told", () => {
    const answers = [led(1, 4, 0, 1), led(0, 1, 2, 3), led(2, 6, 4, 5)]
    assert.isTrue(contradicts(judge(answers)))
    assert.isTrue(contradicts(judge(answers.toReversed())))
    assert.isTrue(contradicts(judge([led(2, 6, 0, 1), led(1, 4, 2, 3), led(1, 4, 0, 9)])))
  })

  it("contradict each other where two servers lead in one term", () => {
    assert.isTrue(contradicts(judge([led(0, 1, 0, 1), led(1, 1, 2, 3)])))
  })
})
