import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { clientUnavailable } from "../../src/internal/installHelp.ts"
import * as network from "../../src/internal/network.ts"
import type { NetworkOptions } from "../../src/NetworkOptions.ts"
import { FakeClient } from "../support/FakeClient.ts"
import { makeNetwork } from "../support/nativeLayer.ts"

const open = (on: network.Network, options: Partial<network.OpenOptions> = {}) =>
  on.open({ clusterFile: undefined, database: {}, apiVersion: undefined, network: {}, ...options })

const unavailable = Effect.fnUntraced(function*<A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>) {
  const error = yield* Effect.flip(effect)
  assert.strictEqual(error._tag, "ClientUnavailable")
  return error as Extract<E, { readonly _tag: "ClientUnavailable" }>
})

describe("the network", () => {
  it.effect("is started once, however many databases are opened at the same time and closed", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      let loads = 0
      const on = network.make(
        Effect.andThen(
          Effect.yieldNow,
          Effect.sync(() => {
            loads++
            return client.binding
          })
        ),
        client.process
      )
      const opened = yield* Effect.all([open(on), open(on), open(on)], { concurrency: "unbounded" })
      for (const one of opened) yield* on.forget(one)
      yield* open(on)
      assert.strictEqual(loads, 1)
      assert.strictEqual(client.process.listeners("exit").length, 1)
      assert.strictEqual(client.openDatabases, 4)
      assert.deepStrictEqual(client.violations, [])
    }))

  it.effect("is not there before a database is opened, and can be had once what was missing is there", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      let installed = false
      const on = network.make(
        Effect.suspend(() =>
          installed ? Effect.succeed(client.binding) : Effect.fail(clientUnavailable("library", "no"))
        ),
        client.process
      )
      assert.strictEqual((yield* unavailable(open(on))).reason, "library")
      assert.strictEqual(client.networkStarts, 0)
      installed = true
      yield* open(on)
      assert.strictEqual(client.networkStarts, 1)
    }))

  it.effect("speaks API version 720, and 710 with a client of 7.1, which has to be told so twice", () =>
    Effect.gen(function*() {
      for (const [libraryVersion, version] of [[730, 720], [720, 720], [710, 710]] as const) {
        const client = yield* FakeClient.make
        client.libraryVersion = libraryVersion
        yield* open(makeNetwork(client))
        assert.deepStrictEqual(client.selected, { version, header: version })
      }
    }))

  it.effect("speaks the API version that was asked for, and says when that is impossible", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      yield* open(makeNetwork(client), { apiVersion: 710 })
      assert.deepStrictEqual(client.selected, { version: 710, header: 710 })
      for (const [libraryVersion, apiVersion] of [[730, 730], [710, 720], [630, undefined]] as const) {
        const client = yield* FakeClient.make
        client.libraryVersion = libraryVersion
        const error = yield* unavailable(open(makeNetwork(client), { apiVersion }))
        assert.strictEqual(error.reason, "version")
        assert.match(error.hint, /from 7\.1 on/)
      }
    }))

  it.effect("goes along with the version that another user of the package has chosen, unless it is too old", () =>
    Effect.gen(function*() {
      for (const [chosen, accepted] of [[710, true], [720, true], [630, false]] as const) {
        const client = yield* FakeClient.make
        client.binding.setAPIVersion(chosen, chosen)
        if (accepted) yield* open(makeNetwork(client))
        else assert.strictEqual((yield* unavailable(open(makeNetwork(client)))).reason, "version")
      }
    }))

  it.effect("is given its options before it starts, and not twice", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      const on = makeNetwork(client)
      const options: NetworkOptions = { trace: { directory: "/traces" }, knobs: ["a=1", "b=2"] }
      yield* open(on, { network: options })
      yield* open(on, { network: options })
      // Who asks for nothing gets what is there.
      yield* open(on)
      assert.deepStrictEqual(client.networkOptions, [{ trace_enable: "/traces", knob: "a=1" }, { knob: "b=2" }])
    }))

  it.effect("refuses other options than it was started with", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      const on = makeNetwork(client)
      yield* open(on)
      const error = yield* unavailable(open(on, { network: { disableLocalClient: true } }))
      assert.strictEqual(error.reason, "options")
      assert.match(error.message, /other options.*every layer/)
    }))

  it.effect("names the option that the client refuses, for the network and for a database", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      client.refusedOptions.add("knob").add("max_watches")
      const knob = yield* unavailable(open(makeNetwork(client), { network: { knobs: ["?"] } }))
      assert.strictEqual(knob.reason, "options")
      assert.include(knob.detail, "knob")
      const watches = yield* unavailable(open(makeNetwork(client), { database: { max_watches: 2_000_000 } }))
      assert.strictEqual(watches.reason, "options")
      assert.strictEqual(client.openDatabases, 0)
    }))

  it.effect("says that options come too late when something else has opened a database already", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      client.binding.setAPIVersion(720)
      client.binding.open()
      const error = yield* unavailable(open(makeNetwork(client), { network: { trace: { directory: "/traces" } } }))
      assert.strictEqual(error.reason, "options")
    }))

  it.effect("reports a database that cannot be opened, and guards the exit all the same", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      client.openError = new Error("Invalid arguments")
      const on = makeNetwork(client)
      assert.strictEqual((yield* unavailable(open(on))).reason, "cluster-file")
      client.openError = undefined
      yield* holdReads(client, yield* open(on), 17)
      client.process.exit(0)
      assert.isFalse(client.deadlocked)
    }))

  it.effect("tells that it could not be set up, and does not fail the exit with that once more", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      client.networkFails = true
      const on = makeNetwork(client)
      const error = yield* unavailable(open(on))
      assert.strictEqual(error.reason, "options")
      assert.match(error.message, /network could not be set up.*FDB_NETWORK_OPTION/s)
      client.process.exit(0)
    }))

  /** So many reads whose answers wait for the main thread. */
  const holdReads = (client: FakeClient, { registry, database }: network.Opened, count: number) =>
    Effect.sync(() => {
      client.hold()
      for (let i = 0; i < count; i++) {
        const tracked = registry.track(database.rawCreateTransaction())
        tracked.native.setOption(500, 1000)
        tracked.track(tracked.native.get(Buffer.from("key"))).catch(() => {})
      }
    })

  it.effect("is stopped at exit as long as what is under way fits into the binding's queue", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      yield* holdReads(client, yield* open(makeNetwork(client)), network.completionSlots)
      client.process.exit(0)
      assert.isFalse(client.networkRuns)
      assert.isFalse(client.deadlocked)
      assert.strictEqual(client.cancelled, 0)
    }))

  it.effect("is left alone at exit with more than that, for to stop it would be to wait for ever", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      const on = makeNetwork(client)
      const closed = yield* open(on)
      yield* on.forget(closed)
      // Together they are too many, though neither database has that many.
      yield* holdReads(client, yield* open(on), 9)
      yield* holdReads(client, yield* open(on), 8)
      client.process.exit(0)
      assert.isTrue(client.networkRuns)
      assert.isFalse(client.deadlocked)
      assert.strictEqual(client.cancelled, 17)
    }))

  it.effect("would wait for ever without the guard", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      client.binding.setAPIVersion(720)
      const database = client.binding.open()
      yield* holdReads(client, { ...(yield* open(makeNetwork(client))), database }, 17)
      client.process.exit(0)
      assert.isTrue(client.deadlocked)
    }))
})
