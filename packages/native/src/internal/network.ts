/**
 * The client's network: one for the whole process, started with the first database and never stopped before the process
 * ends, for after a stop no operation ever settles again.
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

/** How many completions the binding can queue for the main thread; the network thread blocks on one more. */
export const completionSlots = 16

/** How long the network thread is given at exit to run into the full queue, in milliseconds. */
const restMillis = 20

/** The newest API version that the binding 2.0.1 knows, which clients from 7.2 on offer. */
export const newestApiVersion = 720

/** The oldest that is supported: that of client 7.1. */
export const oldestApiVersion = 710

/** FoundationDB: the API version is not supported by the client library. */
const apiVersionNotSupported = 2203

/** What the network needs of `process`. */
export interface ExitEvents {
  listeners(event: "exit"): Array<Function>
  on(event: "exit", listener: (code: number) => void): unknown
  off(event: "exit", listener: (code: number) => void): unknown
}

/** What a database is opened with. */
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
  /** Opens a database, and readies the network if it is the first. */
  readonly open: (options: OpenOptions) => Effect.Effect<Opened, ClientUnavailable | WorkerThreadUnsupported>
  /** The database was closed: nothing of it is under way any more. */
  readonly forget: (opened: Opened) => Effect.Effect<void>
}

/** What a call of the binding has thrown. */
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

/** Another user of the package in this process has chosen already; the package tells it in words only. */
const acceptInUse = ({ text }: Thrown): Effect.Effect<number, ClientUnavailable> => {
  const version = Number(/already initialized with API version (\d+)/.exec(text)?.[1])
  return version >= oldestApiVersion
    ? Effect.succeed(version)
    : Effect.fail(clientUnavailable("version", `no API version could be agreed on (${text})`))
}

/** Chooses the API version: the one asked for, or the newest that binding and library share. */
const selectVersion = (binding: Binding, wanted: number | undefined): Effect.Effect<number, ClientUnavailable> => {
  const version = wanted ?? newestApiVersion
  return attempt(() => {
    // A 7.1 client refuses the header version 720 that the binding sends by itself, so it is told its own.
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

/** FoundationDB: an option's value is not valid, or the option is not for here. */
const optionCodes: ReadonlySet<number | undefined> = new Set([2006, 2007])

/** FoundationDB: the network has not been set up. What has kept it from that, its options, the binding does not tell. */
const networkNotSetUp = 2008

const cannotOpen = ({ code, text }: Thrown): ClientUnavailable => {
  if (optionCodes.has(code)) return clientUnavailable("options", `a database option was refused (${text})`)
  return code === networkNotSetUp
    ? clientUnavailable("options", "the client's network could not be set up")
    : clientUnavailable("cluster-file", `the database cannot be opened (${text})`)
}

/** Stops the network; one that was never set up cannot be stopped, and at exit there is nobody left to be told. */
const stop = (hook: () => void): void => {
  const stopped = Result.try({ try: hook, catch: (cause) => cause })
  if (Result.isFailure(stopped) && !isBindingError(stopped.failure)) throw stopped.failure
}

/** Makes the network of a process. */
export const make = (
  load: Effect.Effect<Binding, ClientUnavailable | WorkerThreadUnsupported>,
  exit: ExitEvents
): Network => {
  const mutex = Semaphore.makeUnsafe(1)
  const databases = new Set<Opened>()
  let ready: { readonly binding: Binding; readonly options: string; readonly apiVersion: number } | undefined

  const pending = (): number => [...databases].reduce((count, { registry }) => count + registry.pending, 0)

  /**
   * At exit the binding stops the network thread and joins it, while that thread may be waiting for the main thread to
   * take completions from a full queue: then the process would hang for ever. As long as what is under way fits into the
   * queue, the binding may do so. Otherwise everything is cancelled, which leaves the network thread waiting at the full
   * queue, where it does no harm, and the process goes without it.
   */
  const guardExit = (hooks: ReadonlyArray<(code: number) => void>): void => {
    for (const hook of hooks) exit.off("exit", hook)
    exit.on("exit", (code) => {
      if (pending() <= completionSlots) {
        for (const hook of hooks) stop(() => hook(code))
      } else {
        for (const { registry } of databases) registry.abandon()
        // Until the network thread has come to rest; should it be running while the library is unloaded, it may crash.
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
        ({ text }) => clientUnavailable("options", `an option was refused: ${Object.keys(record).join(", ")} (${text})`)
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
