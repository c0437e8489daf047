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

/** By their directories. */
const meshes = new Map<string, Shared>()

const take = (directory: string): Shared => {
  const found = meshes.get(directory)
  if (found !== undefined) {
    found.users++
    // The directory may be a new one at the same path.
    found.mesh.scan()
    return found
  }
  const mesh = new Mesh(directory)
  const shared: Shared = { mesh, opened: mesh.open(), users: 1 }
  meshes.set(directory, shared)
  return shared
}

const giveBack = (shared: Shared): void => {
  if (--shared.users > 0) return
  meshes.delete(shared.mesh.directory)
  shared.mesh.close()
}

/** The mesh of a directory, open until the scope closes. */
export const acquire = (directory: string): Effect.Effect<Mesh, WitnessUnavailable, Scope.Scope> =>
  Effect.gen(function*() {
    const path = yield* Effect.try({ try: () => prepare(directory), catch: toUnavailable(directory) })
    const shared = yield* Effect.acquireRelease(
      Effect.sync(() => take(path)),
      (shared) => Effect.sync(() => giveBack(shared))
    )
    yield* Effect.tryPromise({ try: () => shared.opened, catch: toUnavailable(directory) })
    return shared.mesh
  })
