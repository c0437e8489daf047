/** Loads the npm package `foundationdb` when a layer is built. No other module imports it. */
import * as Effect from "effect/Effect"
import type * as Package from "foundationdb"
import { createRequire } from "node:module"
import { isMainThread } from "node:worker_threads"
import { type ClientUnavailable, WorkerThreadUnsupported } from "../NativeError.ts"
import type { Binding } from "./binding.ts"
import { clientUnavailable } from "./installHelp.ts"

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!

const codeOf = (cause: unknown): unknown =>
  typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined

/** Finds out from the error of the import what is missing. */
export const importFailed = (cause: unknown): ClientUnavailable => {
  const text = textOf(cause)
  switch (codeOf(cause)) {
    case "ERR_MODULE_NOT_FOUND":
    case "MODULE_NOT_FOUND":
      return clientUnavailable("package", `the npm package foundationdb cannot be found (${text})`)
    case "ERR_DLOPEN_FAILED":
      return clientUnavailable("library", `the client library cannot be loaded (${text})`)
    default:
      return clientUnavailable("platform", `the native part of the package foundationdb cannot be loaded (${text})`)
  }
}

export const loadWith = (
  load: () => Binding,
  inMainThread: boolean
): Effect.Effect<Binding, ClientUnavailable | WorkerThreadUnsupported> =>
  inMainThread
    ? Effect.try({ try: () => silenced(load), catch: importFailed })
    : Effect.suspend(() => Effect.fail(new WorkerThreadUnsupported({})))

/**
 * Suppresses the advice that the package writes to standard error before it throws; the error's hint is better. It is synchronous,
 * so that no output of other code is lost.
 */
const silenced = <A>(load: () => A): A => {
  const { error } = console
  console.error = () => {}
  try {
    return load()
  } finally {
    console.error = error
  }
}

const require = createRequire(import.meta.url)

/** The package. The compiler checks here that its types fit `Binding`. */
export const load: Effect.Effect<Binding, ClientUnavailable | WorkerThreadUnsupported> = loadWith(
  () => require("foundationdb") as typeof Package,
  isMainThread
)
