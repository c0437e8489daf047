import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { parseAddress } from "../../src/internal/http.ts"

describe("the address of --http", () => {
  const cases = [
    ["8008", "127.0.0.1", 8008],
    ["127.0.0.1:8008", "127.0.0.1", 8008],
    ["0.0.0.0:80", "0.0.0.0", 80],
    ["localhost:0", "localhost", 0],
    ["[::1]:8008", "::1", 8008],
    ["my-host.example:65535", "my-host.example", 65_535]
  ] as const
  for (const [text, host, port] of cases) {
    it(`${text} is port ${port} of ${host}`, () => {
      assert.deepStrictEqual(parseAddress(text), Option.some({ host, port }))
    })
  }

  for (
    const text of [
      "",
      ":8008",
      "host",
      "host:",
      "host:65536",
      "::1:8008",
      "[]:1",
      "host:80:90",
      "-1",
      "80 ",
      "http://x:80"
    ]
  ) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.deepStrictEqual(parseAddress(text), Option.none())
    })
  }
})
