import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { createRequire } from "node:module"
import * as networkOptions from "../../src/internal/networkOptions.ts"
import type { NetworkOptions } from "../../src/NetworkOptions.ts"

const { networkOptionData } = createRequire(import.meta.url)("foundationdb/dist/lib/opts.g.js")

const everything: NetworkOptions = {
  tls: {
    certificatePath: "/cert.pem",
    keyPath: "/key.pem",
    caPath: "/ca.pem",
    keyPassword: Redacted.make("secret"),
    verifyPeers: "Check.Valid=1"
  },
  trace: { directory: "/traces", format: "json", logGroup: "election" },
  externalClientDirectory: "/clients",
  externalClientLibrary: "/clients/libfdb_c.so",
  disableLocalClient: true,
  knobs: ["a=1", "b=2", "c=3"],
  buggify: { sectionActivatedProbability: 50, sectionFiredProbability: 5 }
}

describe("network options", () => {
  it("go by names and types that the package knows", () => {
    for (const record of networkOptions.encode(everything)) {
      for (const [name, value] of Object.entries(record)) {
        assert.property(networkOptionData, name)
        const type: unknown = { none: true, int: typeof value === "number", string: typeof value === "string" }[
          networkOptionData[name].type as string
        ] ?? Buffer.isBuffer(value)
        assert.isTrue(type, name)
      }
    }
  })

  it("set the password before the key that it opens", () => {
    const names = Object.keys(networkOptions.encode(everything)[0]!)
    assert.isBelow(names.indexOf("TLS_password"), names.indexOf("TLS_key_path"))
  })

  it("set every knob, though a record has room for one", () => {
    const records = networkOptions.encode(everything)
    assert.deepStrictEqual(records.map(({ knob }) => knob), ["a=1", "b=2", "c=3"])
  })

  it("do not mention what is not set, for the package would switch it on", () => {
    assert.deepStrictEqual(networkOptions.encode({}), [])
    assert.deepStrictEqual(
      networkOptions.encode({ disableLocalClient: false, knobs: [], tls: { caPath: undefined } }),
      []
    )
    assert.deepStrictEqual(networkOptions.encode({ buggify: {} }), [{ client_buggify_enable: true }])
  })

  it("can be told apart, passwords too", () => {
    const identity = (keyPassword: string) =>
      networkOptions.identity({ tls: { keyPassword: Redacted.make(keyPassword) } })
    assert.strictEqual(identity("a"), identity("a"))
    assert.notStrictEqual(identity("a"), identity("b"))
  })
})
