/**
 * The client's network. A process has one. The first database starts it, and it runs until the process ends, because no operation
 * settles after a stop.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type { ClientUnavailable, WorkerThreadUnsupported } from "../NativeError.ts"
import type { NetworkOptions } from "../NetworkOptions.ts"
import { type Binding, type BindingDatabase, type BindingDatabaseOptions, isBindingError } from "./binding.ts"
import { clientUnavailable } from "./installHelp.ts"
import * as networkOptions from "./networkOptions.ts"
import { TransactionRegistry } from "./transactionRegistry.ts"

/** The size of the binding's queue of completions for the main thread. The network thread blocks when it is full. */
export const completionSlots = 16

/** The time at exit until the network thread blocks at the full queue, in milliseconds. */
const restMillis = 20

/** The newest API version of the binding 2.0.1. Clients from 7.2 on support it. */
export const newestApiVersion = 720

/** The oldest supported API version, of client 7.1. */
export const oldestApiVersion = 710

/** FoundationDB: the API version is not supported by the client library. */
const apiVersionNotSupported = 2203

/** The part of `process` that the network uses. */
export interface ExitEvents {
  listeners(event: "exit"): Array<Function>
  on(event: "exit", listener: (code: number) => void): unknown
  off(event: "exit", listener: (code: number) => void): unknown
}

export interface OpenOptions {
  readonly clusterFile: string | undefined
  readonly database: BindingDatabaseOptions
  readonly apiVersion: number | undefined
  readonly network: NetworkOptions
}

/** A database, and the registry of its transactions. */
export interface Opened {
  readonly database: BindingDatabase
  readonly registry: TransactionRegistry
  /** The API version that the process has selected. */
  readonly apiVersion: number
}

export interface Network {
  /** Opens a database. The first call sets up the network. */
  readonly open: (options: OpenOptions) => Effect.Effect<Opened, ClientUnavailable | WorkerThreadUnsupported>
  /** Removes a closed database. */
  readonly forget: (opened: Opened) => Effect.Effect<void>
}

class Thrown extends Data.TaggedError("Thrown")<{ readonly cause: unknown }> {
  get text(): string {
    return this.cause instanceof Error ? this.cause.message : String(this.cause)
  }

  get code(): number | undefined {
    return isBindingError(this.cause) ? this.cause.code : undefined
  }
}

const attempt = <A>(call: () => A): Effect.Effect<A, Thrown> =>
  Effect.try({ try: call, catch: (cause) => new Thrown({ cause }) })

/** Uses the API version that other code of this process has selected. Only the text of the error contains it. */
const acceptInUse = ({ text }: Thrown): Effect.Effect<number, ClientUnavailable> => {
  const version = Number(/already initialized with API version (\d+)/.exec(text)?.[1])
  return version >= oldestApiVersion
    ? Effect.succeed(version)
    : Effect.fail(clientUnavailable("version", `no API version works with the client library (${text})`))
}

/** Selects the given API version, or the newest that binding and library share. */
const selectVersion = (binding: Binding, wanted: number | undefined): Effect.Effect<number, ClientUnavailable> => {
  const version = wanted ?? newestApiVersion
  return attempt(() => {
    // A 7.1 client refuses the header version 720, which the binding sends by default.
    if (version <= oldestApiVersion) binding.setAPIVersion(version, version)
    else binding.setAPIVersion(version)
  }).pipe(
    Effect.as(version),
    Effect.catch((thrown) =>
      wanted === undefined && thrown.code === apiVersionNotSupported
        ? selectVersion(binding, oldestApiVersion)
        : acceptInUse(thrown)
    )
  )
}

/** FoundationDB: an option's value is not valid, or the option does not belong here. */
const optionCodes: ReadonlySet<number | undefined> = new Set([2006, 2007])

/** FoundationDB: the network has not been set up. The binding does not report which option is the cause. */
const networkNotSetUp = 2008

const cannotOpen = ({ code, text }: Thrown): ClientUnavailable => {
  if (optionCodes.has(code)) return clientUnavailable("options", `the client refused a database option (${text})`)
  return code === networkNotSetUp
    ? clientUnavailable("options", "the client's network could not be set up")
    : clientUnavailable("cluster-file", `the database cannot be opened (${text})`)
}

/** Stops the network. Ignores the client's error if the network was never set up. */
const stop = (hook: () => void): void => {
  const stopped = Result.try({ try: hook, catch: (cause) => cause })
  if (Result.isFailure(stopped) && !isBindingError(stopped.failure)) throw stopped.failure
}

export const make = (
  load: Effect.Effect<Binding, ClientUnavailable | WorkerThreadUnsupported>,
  exit: ExitEvents
): Network => {
  const mutex = Semaphore.makeUnsafe(1)
  const databases = new Set<Opened>()
  let ready: { readonly binding: Binding; readonly options: string; readonly apiVersion: number } | undefined

  const pending = (): number => [...databases].reduce((count, { registry }) => count + registry.pending, 0)

  /**
   * At exit the binding stops and joins the network thread. If that thread waits at a full queue for the main thread, the process
   * hangs for ever. So the binding's hook runs only if all pending operations fit into the queue. Otherwise all operations are
   * cancelled: the network thread blocks at the full queue, and the process ends without a join.
   */
  const guardExit = (hooks: ReadonlyArray<(code: number) => void>): void => {
    for (const hook of hooks) exit.off("exit", hook)
    exit.on("exit", (code) => {
      if (pending() <= completionSlots) {
        for (const hook of hooks) stop(() => hook(code))
      } else {
        for (const { registry } of databases) registry.abandon()
        // Waits until the network thread blocks: it may crash if it runs while the library is unloaded.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, restMillis)
      }
    })
  }

  const openDatabase = (binding: Binding, options: OpenOptions): Effect.Effect<BindingDatabase, Thrown> =>
    Effect.suspend(() => {
      const before = new Set(exit.listeners("exit"))
      return Effect.ensuring(
        attempt(() => binding.open(options.clusterFile, options.database)),
        Effect.sync(() => {
          const added = exit.listeners("exit").filter((listener) => !before.has(listener))
          if (added.length > 0) guardExit(added as Array<(code: number) => void>)
        })
      )
    })

  const prepare = Effect.fnUntraced(function*(options: OpenOptions) {
    const identity = networkOptions.identity(options.network)
    if (ready !== undefined) {
      if (ready.options === identity || identity === "[]") return ready
      return yield* clientUnavailable("options", "the network was started with other options")
    }
    const binding = yield* load
    const apiVersion = yield* selectVersion(binding, options.apiVersion)
    for (const record of networkOptions.encode(options.network)) {
      yield* Effect.mapError(
        attempt(() => binding.configNetwork(record)),
        ({ text }) =>
          clientUnavailable("options", `the client refused an option: ${Object.keys(record).join(", ")} (${text})`)
      )
    }
    return ready = { binding, options: identity, apiVersion }
  })

  return {
    open: (options) =>
      Effect.gen(function*() {
        const { apiVersion, binding } = yield* prepare(options)
        const database = yield* Effect.mapError(openDatabase(binding, options), cannotOpen)
        const opened = { database, registry: new TransactionRegistry(), apiVersion }
        databases.add(opened)
        return opened
      }).pipe(Effect.uninterruptible, mutex.withPermits(1)),
    forget: (opened) => Effect.sync(() => void databases.delete(opened))
  }
}
