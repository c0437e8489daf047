/** `NativeDatabase.layer` over the double. */
import { Database } from "@effect-fdb/core"
import type { NativeDatabaseOptions } from "@effect-fdb/native/NativeDatabase"
import { Context, Effect, Layer } from "effect"
import * as database from "../../src/internal/database.ts"
import * as network from "../../src/internal/network.ts"
import { FakeClient } from "./FakeClient.ts"

/** The double that a test's layer runs on. */
export class Fake extends Context.Service<Fake, FakeClient>()("@effect-fdb/native/test/Fake") {
  static readonly layer = Layer.effect(Fake, FakeClient.make)
}

/** The network of a process on the double. */
export const makeNetwork = (client: FakeClient): network.Network =>
  network.make(Effect.sync(() => client.binding), client.process)

/** A database, and the health of its cluster, on a network of its own. */
export const layer = (options: NativeDatabaseOptions = {}) =>
  Layer.effectContext(Effect.flatMap(Fake, (client) => database.make(makeNetwork(client), options)))

/** The database, and the double too. */
export const layerWithFake = (options: NativeDatabaseOptions = {}) => Layer.provideMerge(layer(options), Fake.layer)

/** Builds a database on the double, within the scope. */
export const make = (client: FakeClient, options: NativeDatabaseOptions = {}, on = makeNetwork(client)) =>
  Effect.map(database.make(on, options), Context.get(Database))
