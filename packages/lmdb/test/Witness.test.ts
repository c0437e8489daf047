import { Testimony, Versionstamp, Witness } from "@effect-fdb/core"
import { WitnessUnavailable } from "@effect-fdb/witness"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { LmdbDatabase } from "../src/index.ts"
import { temporaryDirectory } from "./support/processes.ts"

const registration = Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0))
const testimony = Testimony.make("1501", "id", registration)

/** Whether what a process tells is heard by others of the database. */
const tells = (options: LmdbDatabase.Options) =>
  Effect.scoped(Effect.gen(function*() {
    const witness = yield* Effect.provide(Witness, yield* Layer.build(LmdbDatabase.layer(options)))
    yield* witness.tell(testimony)
    return witness.living("1501").length > 0
  }))

it.live("a database has a witness unless it is not to have one or cannot have one", () =>
  Effect.gen(function*() {
    const parent = yield* temporaryDirectory
    const at = (name: string) => path.join(parent, name)
    assert.isTrue(yield* tells({ path: at("default") }))
    assert.isTrue(fs.existsSync(at("default/witness")))
    assert.deepStrictEqual(fs.readdirSync(at("default/witness")), [])
    assert.isFalse(yield* tells({ path: at("off"), witness: false }))
    assert.isFalse(fs.existsSync(at("off/witness")))
    assert.isFalse(yield* tells({ path: at("x".repeat(90)) }))
    assert.isTrue(yield* tells({ path: at("x".repeat(90)), witness: at("elsewhere") }))
    fs.writeFileSync(at("default/witness/file"), "")
    fs.chmodSync(at("default/witness"), 0o755)
    assert.isFalse(yield* tells({ path: at("default") }))
    const refused = yield* Effect.flip(tells({ path: at("default"), witness: at("default/witness") }))
    assert.instanceOf(refused, WitnessUnavailable)
    assert.strictEqual(refused.reason, "open-to-others")
    if (process.geteuid?.() === 0) {
      fs.mkdirSync(at("foreign"), 0o700)
      fs.chownSync(at("foreign"), 1234, 1234)
      assert.isFalse(yield* tells({ path: at("foreign") }))
      assert.isFalse(fs.existsSync(at("foreign/witness")))
    }
  }))

it.live("a database that is made anew in the same place has a witness again", () =>
  Effect.gen(function*() {
    const directory = path.join(yield* temporaryDirectory, "database")
    yield* Layer.build(LmdbDatabase.layer({ path: directory }))
    fs.rmSync(directory, { recursive: true })
    yield* Layer.build(Layer.fresh(LmdbDatabase.layer({ path: directory })))
    assert.strictEqual(fs.readdirSync(path.join(directory, "witness")).length, 1)
  }))
