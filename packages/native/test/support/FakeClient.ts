/**
 * A double of the npm package `foundationdb` together with the client library below it: the store is core's in memory, the
 * manners are those of the real thing, the bad ones above all. What the real one punishes by an abort of the process, a
 * deadlock or silence for ever is noted in `violations`, and happens as far as it can.
 */
import { type Engine, MemoryDatabase } from "@effect-fdb/core"
import { Clock, Effect, type Fiber } from "effect"
import type {
  Binding,
  BindingDatabase,
  BindingDatabaseOptions,
  BindingNetworkOptions,
  BindingTransaction
} from "../../src/internal/binding.ts"
import { errorOf, FakeError } from "./FakeError.ts"
import { FakeProcess } from "./FakeProcess.ts"
import { FakeTransaction } from "./FakeTransaction.ts"
import { NativeState } from "./NativeState.ts"

/** Which call a fault is for. */
export type Call = "read" | "commit" | "watch" | "versionstamp" | "create" | "write" | "option"

/** What becomes of the next call of its kind. */
export interface Fault {
  readonly call: Call
  /** An error of FoundationDB; without it a plain `Error`. */
  readonly code?: number
  /** Thrown by the call itself instead of rejected. */
  readonly thrown?: boolean
  /** A commit that takes effect all the same. */
  readonly applied?: boolean
}

/** The completions that the binding can queue for the main thread. */
const queueLength = 16

export class FakeClient {
  readonly process = new FakeProcess()
  /** What the real binding would have answered with an abort, a crash or a wrong result. */
  readonly violations: Array<string> = []

  /** The highest API version that the library offers. */
  libraryVersion = 730
  selected: { readonly version: number; readonly header: number } | undefined
  readonly networkOptions: Array<BindingNetworkOptions> = []
  /** The names of options that the client refuses. */
  readonly refusedOptions = new Set<string>()
  networkStarts = 0
  networkRuns = false
  /** The main thread would wait for the network thread for ever. */
  deadlocked = false

  readonly opened: Array<{ readonly clusterFile: string | undefined; readonly options: BindingDatabaseOptions }> = []
  openDatabases = 0
  /** `open` throws. */
  openError: Error | undefined
  /** The network cannot be set up; the binding does not notice. */
  networkFails = false

  /** Unless it does, nothing is answered, and a client of several versions ignores cancellation. */
  connected = true
  multiVersion = false
  /** Watches swallow three errors, as they do unless all are asked for. */
  watchesResolveFalse = false
  /** Commits take effect even though their answer is kept back, and whatever becomes of it. */
  commitsLand = false

  /** What the client tells of its cluster, in JSON. */
  status: string | undefined

  /** The transactions that native code has not been told to forget. */
  created = 0
  cancelled = 0
  reset = 0
  commits = 0
  pendingWatches = 0
  /** The options of the last transaction, in the order in which they were set. */
  lastOptions: ReadonlyArray<readonly [number, number | string | undefined]> = []

  readonly engine: Engine.Engine
  readonly clock: Clock.Clock
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  private readonly faults: Array<Fault> = []
  private readonly queue: Array<() => void> = []
  private holding = false

  private constructor(engine: Engine.Engine, clock: Clock.Clock, fork: FakeClient["fork"]) {
    this.engine = engine
    this.clock = clock
    this.fork = fork
  }

  static readonly make = Effect.gen(function*() {
    const engine = yield* MemoryDatabase.makeEngine
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    return new FakeClient(engine, yield* Clock.Clock, fork)
  })

  /** The next calls of their kinds go wrong. */
  fail(...faults: ReadonlyArray<Fault>): void {
    this.faults.push(...faults)
  }

  /** Completions are kept back, as by a main thread that is busy, until {@link deliver}. */
  hold(): void {
    this.holding = true
  }

  deliver(): void {
    this.holding = false
    this.flow()
  }

  connect(): void {
    this.connected = true
    this.flow()
  }

  /** How many completions wait for the main thread, or for a connection. */
  get undelivered(): number {
    return this.queue.length
  }

  /** Another part of the process does what must not be done. */
  stopNetwork(): void {
    if (this.networkFails) throw new FakeError(2008)
    if (this.holding && this.queue.length > queueLength) this.deadlocked = true
    this.networkRuns = false
  }

  readonly binding: Binding = {
    setAPIVersion: (version, header = 720) => {
      if (this.selected !== undefined) {
        if (this.selected.version === version) return
        throw new Error(`foundationdb already initialized with API version ${this.selected.version}`)
      }
      if (version > 720) throw new Error(`Cannot use foundationdb protocol version ${version} > 720.`)
      if (header > this.libraryVersion || version > header) throw new FakeError(2203)
      this.selected = { version, header }
    },
    configNetwork: (options) => {
      if (this.networkStarts > 0) throw new Error("configNetwork must be called before FDB connections are opened")
      for (const name of Object.keys(options)) if (this.refusedOptions.has(name)) throw new FakeError(2006)
      this.networkOptions.push(options)
    },
    open: (clusterFile, options = {}) => {
      if (this.selected === undefined) throw new Error("You must specify an API version to connect to FoundationDB.")
      if (this.networkStarts === 0) {
        this.networkStarts++
        this.networkRuns = !this.networkFails
        this.process.on("exit", () => this.stopNetwork())
      }
      if (this.networkFails) throw new FakeError(2008)
      if (this.openError !== undefined) throw this.openError
      for (const name of Object.keys(options)) if (this.refusedOptions.has(name)) throw new FakeError(2006)
      this.opened.push({ clusterFile, options })
      this.openDatabases++
      return new FakeDatabase(this)
    }
  }

  violate(what: string): void {
    this.violations.push(what)
  }

  /** The fault that is meant for this call; one that is thrown is thrown. */
  faultOf(call: Call): Fault | undefined {
    const index = this.faults.findIndex((fault) => fault.call === call)
    if (index < 0) return undefined
    const [fault] = this.faults.splice(index, 1)
    if (fault!.thrown === true) throw errorOf(fault!.code)
    return fault
  }

  /** Runs `complete` when the network thread gets at it; tells whether that was at once. */
  enqueue(complete: () => void): boolean {
    if (this.connected && !this.holding) {
      complete()
      return true
    }
    this.queue.push(complete)
    return false
  }

  private flow(): void {
    while (this.connected && !this.holding && this.queue.length > 0) this.queue.shift()!()
  }
}

class FakeDatabase implements BindingDatabase {
  private readonly client: FakeClient
  private open = true

  constructor(client: FakeClient) {
    this.client = client
  }

  rawCreateTransaction(): BindingTransaction {
    if (!this.open) throw new Error("Invalid arguments")
    this.client.faultOf("create")
    this.client.created++
    return new FakeTransaction(new NativeState(this.client), false)
  }

  close(): void {
    if (!this.open) {
      this.client.violate("a database was closed twice")
      throw new Error("Invalid arguments")
    }
    this.open = false
    this.client.openDatabases--
  }
}
