import { assert, describe, it } from "@effect/vitest"
import { FdbError } from "../src/index.ts"

describe("FdbError", () => {
  it("tells what the code means by the phase it struck in", () => {
    assert.isFalse(new FdbError({ code: 1031, phase: "read" }).maybeCommitted)
    assert.isTrue(new FdbError({ code: 1031, phase: "commit" }).maybeCommitted)
    assert.isFalse(new FdbError({ code: 1031, phase: "commit" }).retryable)
    assert.isTrue(new FdbError({ code: 1021, phase: "commit" }).maybeCommitted)
    assert.isTrue(new FdbError({ code: 1021, phase: "commit" }).retryable)
    assert.isTrue(new FdbError({ code: 1020, phase: "commit" }).retryable)
    assert.isFalse(new FdbError({ code: 1020, phase: "commit" }).maybeCommitted)
  })

  it("says in its message what happened, where, and what to do", () => {
    const error = new FdbError({ code: 2103, phase: "write", detail: "the limit is 100000" })
    assert.include(error.message, "2103")
    assert.include(error.message, "write")
    assert.include(error.message, "the value is longer than the limit")
    assert.include(error.message, "the limit is 100000")
  })
})
