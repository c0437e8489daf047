import { ClusterHealth } from "@effect-fdb/native"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as nativeLayer from "./support/nativeLayer.ts"

/** As FoundationDB 7.3 writes it, shortened to what an operator would look at. */
const client = (available: boolean, reachable: ReadonlyArray<boolean>) => ({
  cluster_file: { path: "/etc/foundationdb/fdb.cluster", up_to_date: true },
  coordinators: {
    coordinators: reachable.map((reachable, i) => ({
      address: `10.0.0.${i}:4500`,
      protocol: "0fdb00b073000000",
      reachable
    })),
    quorum_reachable: reachable.filter((reachable) => reachable).length * 2 > reachable.length
  },
  database_status: { available, healthy: available },
  messages: [],
  timestamp: 1_764_329_000
})

const status = (json: unknown) =>
  Effect.gen(function*() {
    const fake = yield* nativeLayer.Fake
    fake.status = json === undefined ? undefined : typeof json === "string" ? json : JSON.stringify(json)
    const { status } = yield* ClusterHealth
    return yield* status
  }).pipe(Effect.provide(nativeLayer.layerWithFake()))

describe("the health of a cluster", () => {
  it.effect("tells availability, coordinators and versions", () =>
    Effect.gen(function*() {
      const told = yield* status({
        client: client(true, [true, true, false]),
        cluster: {
          processes: { a: { version: "7.3.79" }, b: { version: "7.3.63" }, c: { version: "7.3.79" } },
          clients: {
            count: 2,
            supported_versions: [
              { client_version: "7.3.79", protocol_version: "fdb00b073000000" },
              { client_version: "Unknown" }
            ]
          },
          messages: []
        }
      })
      assert.deepStrictEqual(told, {
        available: true,
        healthy: true,
        coordinators: { total: 3, reachable: 2, hasQuorum: true },
        serverVersions: ["7.3.63", "7.3.79"],
        clientVersions: ["7.3.79", "Unknown"],
        apiVersion: 720
      })
    }))

  it.effect("is told while the coordinators have no quorum and the servers cannot be asked", () =>
    Effect.gen(function*() {
      const told = yield* status({ client: client(false, [true, false, false]) })
      assert.deepStrictEqual(told, {
        available: false,
        healthy: false,
        coordinators: { total: 3, reachable: 1, hasQuorum: false },
        serverVersions: [],
        clientVersions: [],
        apiVersion: 720
      })
    }))

  it.effect("fails with UnknownStatus when the client gives none, or one of another form", () =>
    Effect.forEach(
      [undefined, "no JSON", { client: { coordinators: [] } }],
      (json) => Effect.map(Effect.flip(status(json)), (error) => assert.strictEqual(error._tag, "UnknownStatus"))
    ))

  it.effect("is the error of the client where the client fails", () =>
    Effect.gen(function*() {
      const fake = yield* nativeLayer.Fake
      const { status } = yield* ClusterHealth
      fake.fail({ call: "read", code: 1031 })
      assert.include(yield* Effect.flip(status), { _tag: "FdbError", code: 1031 })
      assert.deepStrictEqual(fake.violations, [])
    }).pipe(Effect.provide(nativeLayer.layerWithFake())))
})

describe("an option for a tenant", () => {
  it.effect("is refused before anything is opened", () =>
    Effect.gen(function*() {
      const error = yield* Effect.asVoid(ClusterHealth).pipe(
        Effect.provide(nativeLayer.layer({ tenant: "billing" })),
        Effect.flip
      )
      const fake = yield* nativeLayer.Fake
      assert.include(error, { _tag: "ClientUnavailable", reason: "tenant" })
      assert.match(error.message, /"billing".*subspace/s)
      assert.deepStrictEqual(fake.opened, [])
    }).pipe(Effect.provide(nativeLayer.Fake.layer)))
})
