/** The meshes of this process: one for a directory, however many layers use it. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { WitnessUnavailable } from "../WitnessError.ts"
import { prepare, toUnavailable } from "./directory.ts"
import { Mesh } from "./mesh.ts"

interface Shared {
  readonly mesh: Mesh
  readonly opened: Promise<void>
  users: number
}

/** By the identities of their directories. */
const meshes = new Map<string, Shared>()

const take = (directory: string, identity: string): Shared => {
  const found = meshes.get(identity)
  if (found !== undefined) {
    found.users++
    return found
  }
  const mesh = new Mesh(directory)
  const opened: Shared = { mesh, opened: mesh.open(), users: 1 }
  meshes.set(identity, opened)
  return opened
}

const giveBack = (identity: string, shared: Shared): void => {
  if (--shared.users > 0) return
  if (meshes.get(identity) === shared) meshes.delete(identity)
  shared.mesh.close()
}

/** The mesh of a directory, open until the scope closes. */
export const acquire = (directory: string): Effect.Effect<Mesh, WitnessUnavailable, Scope.Scope> =>
  Effect.gen(function*() {
    const identity = yield* Effect.try({ try: () => prepare(directory), catch: toUnavailable(directory) })
    const shared = yield* Effect.acquireRelease(
      Effect.sync(() => take(directory, identity)),
      (shared) => Effect.sync(() => giveBack(identity, shared))
    )
    yield* Effect.tryPromise({ try: () => shared.opened, catch: toUnavailable(directory) })
    return shared.mesh
  })
