/** The native side of a transaction of the double. */
import type { Engine, FdbError } from "@effect-fdb/core"
import { Effect, Exit, type Fiber } from "effect"
import type { BindingWatch } from "../../src/internal/binding.ts"
import { optionCodes } from "../../src/internal/encoding.ts"
import type { FakeClient } from "./FakeClient.ts"
import { errorOf, FakeError } from "./FakeError.ts"

/** A promise of the binding: settled once, whoever comes first. */
class Operation<A> {
  readonly promise: Promise<A>
  settled = false
  private readonly resolvers: { resolve: (value: A) => void; reject: (cause: unknown) => void }

  constructor() {
    let resolve!: (value: A) => void
    let reject!: (cause: unknown) => void
    this.promise = new Promise<A>((...both) => ([resolve, reject] = both))
    this.resolvers = { resolve, reject }
  }

  resolve(value: A): void {
    this.settled = true
    this.resolvers.resolve(value)
  }

  reject(cause: unknown): void {
    this.settled = true
    this.resolvers.reject(cause)
  }

  complete(exit: Exit.Exit<A, FdbError>): void {
    if (this.settled) return
    if (Exit.isSuccess(exit)) return this.resolve(exit.value)
    const [reason] = exit.cause.reasons
    this.reject(reason?._tag === "Fail" ? new FakeError(reason.error.code) : reason)
  }
}

interface Watching {
  readonly watch: Engine.EngineWatch
  readonly operation: Operation<boolean>
  readonly throwAll: boolean
}

/** What native code keeps of a transaction. It does not refer to the JavaScript object. */
export class NativeState {
  readonly client: FakeClient
  private options: Array<readonly [number, number | string | undefined]> = []
  private timeoutNanos: bigint | undefined
  private born: bigint
  private attempt: Engine.EngineTransaction | undefined
  private operations = new Set<Operation<unknown>>()
  private watches = new Set<Watching>()
  private stamp: Operation<Buffer> | undefined
  private timer: Fiber.Fiber<unknown> | undefined
  private state: "open" | "committing" | "committed" | "cancelled" = "open"
  private failure: number | undefined
  committedVersion = -1n

  constructor(client: FakeClient) {
    this.client = client
    this.born = client.clock.monotonicTimeNanosUnsafe()
  }

  get isCancelled(): boolean {
    return this.state === "cancelled"
  }

  setOption(code: number, value: number | Buffer | undefined): void {
    if (this.attempt !== undefined) this.client.violate("an option was set after the first operation")
    this.options.push([code, Buffer.isBuffer(value) ? value.toString() : value])
    this.client.lastOptions = this.options
    if (code === optionCodes.timeout) this.timeoutNanos = BigInt(value as number) * 1_000_000n
  }

  private option(code: number): number | string | undefined {
    return this.options.find(([other]) => other === code)?.[1]
  }

  private get leftMillis(): number {
    if (this.timeoutNanos === undefined) return Number.POSITIVE_INFINITY
    const spent = this.client.clock.monotonicTimeNanosUnsafe() - this.born
    return Number(this.timeoutNanos - spent) / 1e6
  }

  get engine(): Engine.EngineTransaction {
    return this.attempt ??= this.client.engine.begin({
      timeoutMillis: Math.max(0, this.leftMillis),
      sizeLimit: this.option(optionCodes.sizeLimit) as number | undefined,
      priority: "default",
      causalReadRisky: false,
      tag: undefined
    })
  }

  /** The transaction may be used for this. */
  private use(): void {
    if (this.state === "committing" || this.state === "committed") {
      this.client.violate("a transaction was used during or after its commit")
      throw new FakeError(2017)
    }
    if (this.timeoutNanos === undefined) this.client.violate("a transaction without a timeout was used")
  }

  mutate(call: (engine: Engine.EngineTransaction) => void): void {
    this.use()
    this.client.faultOf("write")
    call(this.engine)
  }

  setReadVersion(version: bigint): void {
    this.use()
    const exit = Effect.runSyncExit(this.engine.setReadVersion(version))
    if (Exit.isFailure(exit)) this.failure ??= 2010
  }

  /** A read sees what was written before it was issued, so its result is settled now, whenever it is delivered. */
  read<A, B>(
    effect: (engine: Engine.EngineTransaction) => Effect.Effect<A, FdbError>,
    map: (value: A) => B
  ): Promise<B> {
    this.use()
    const fault = this.client.faultOf("read")
    const exit = this.isSilent ? undefined : Effect.runSyncExit(effect(this.engine))
    return this.start<B>((operation) => {
      if (fault !== undefined) {
        this.failure ??= fault.code
        return operation.reject(errorOf(fault.code))
      }
      if (exit !== undefined) operation.complete(Exit.map(exit, map))
    })
  }

  /** Nothing that is begun now is ever worked on. */
  private get isSilent(): boolean {
    return !this.client.networkRuns || this.isCancelled
  }

  private start<A>(complete: (operation: Operation<A>) => void): Promise<A> {
    const operation = new Operation<A>()
    if (!this.client.networkRuns) return operation.promise
    if (this.isCancelled) {
      operation.reject(new FakeError(1025))
      return operation.promise
    }
    this.operations.add(operation as Operation<unknown>)
    const settle = (): void => {
      if (!operation.settled) complete(operation)
      this.operations.delete(operation as Operation<unknown>)
      if (this.operations.size === 0) this.timer?.interruptUnsafe()
    }
    if (!this.client.enqueue(settle)) this.startTimer()
    return operation.promise
  }

  private startTimer(): void {
    if (this.timer !== undefined || !Number.isFinite(this.leftMillis)) return
    this.timer = this.client.fork(
      Effect.andThen(Effect.sleep(Math.max(0, this.leftMillis)), Effect.sync(() => this.end(1031)))
    )
  }

  /** Everything that is under way ends with an error. */
  private end(code: number): void {
    if (!this.client.networkRuns) return
    for (const operation of this.operations) operation.reject(new FakeError(code))
    this.operations.clear()
    if (this.stamp?.settled === false) this.stamp.reject(new FakeError(code))
    if (this.state !== "committed") this.endWatches(code)
    if (code !== 1031) this.timer?.interruptUnsafe()
  }

  private endWatches(code: number): void {
    for (const watching of this.watches) this.settleWatch(watching, code)
  }

  private settleWatch(watching: Watching, code: number | undefined): void {
    if (!this.watches.delete(watching)) return
    this.client.pendingWatches--
    const { operation, throwAll, watch } = watching
    this.client.fork(watch.cancel)
    if (code === undefined) return operation.resolve(true)
    const swallowed = code === 1101 || code === 1025 || code === 1020
    if (swallowed && (!throwAll || this.client.watchesResolveFalse)) return operation.resolve(false)
    operation.reject(new FakeError(code))
  }

  watch(key: Buffer, throwAll: boolean): BindingWatch {
    this.use()
    const fault = this.client.faultOf("watch")
    const operation = new Operation<boolean>()
    operation.promise.catch(() => {})
    const refused = (code: number): BindingWatch => {
      operation.reject(new FakeError(code))
      return { promise: operation.promise, cancel: () => {} }
    }
    if (fault !== undefined) return refused(fault.code!)
    if (this.isCancelled) return refused(1025)
    const exit = Effect.runSyncExit(this.engine.watch(key))
    if (Exit.isFailure(exit)) {
      const [reason] = exit.cause.reasons
      // It reaches the watch only: the transaction commits all the same.
      return refused(reason?._tag === "Fail" ? reason.error.code : 4100)
    }
    const watching = { watch: exit.value, operation, throwAll }
    this.watches.add(watching)
    this.client.pendingWatches++
    this.client.fork(Effect.matchEffect(exit.value.fired, {
      onFailure: () => Effect.void,
      onSuccess: () => Effect.sync(() => void this.client.enqueue(() => this.settleWatch(watching, undefined)))
    }))
    return { promise: operation.promise, cancel: () => this.settleWatch(watching, 1101) }
  }

  getVersionstamp(): { promise: Promise<Buffer> } {
    this.use()
    const fault = this.client.faultOf("versionstamp")
    this.engine.requestVersionstamp()
    const stamp = this.stamp = new Operation<Buffer>()
    stamp.promise.catch(() => {})
    if (fault !== undefined) stamp.reject(errorOf(fault.code))
    return { promise: stamp.promise }
  }

  commit(): Promise<void> {
    this.use()
    const fault = this.client.faultOf("commit")
    const failed = (operation: Operation<void>, cause: unknown, code: number): void => {
      operation.reject(cause)
      if (this.stamp?.settled === false) this.stamp.reject(new FakeError(2020))
      this.endWatches(code)
    }
    if (this.isCancelled) return Promise.reject(new FakeError(1025))
    this.state = "committing"
    const landed = this.client.commitsLand && fault === undefined ? Effect.runSyncExit(this.engine.commit) : undefined
    return this.start<void>((operation) => {
      if (fault !== undefined) {
        if (fault.applied === true) Effect.runSyncExit(this.engine.commit)
        return failed(operation, errorOf(fault.code), fault.code ?? 4100)
      }
      if (this.failure !== undefined) return failed(operation, new FakeError(this.failure), this.failure)
      const exit = landed ?? Effect.runSyncExit(this.engine.commit)
      if (Exit.isFailure(exit)) {
        operation.complete(exit)
        const [reason] = exit.cause.reasons
        return failed(operation, undefined, reason?._tag === "Fail" ? reason.error.code : 4100)
      }
      this.client.commits++
      this.state = "committed"
      this.committedVersion = exit.value.version
      if (this.stamp?.settled === false) {
        if (exit.value.versionstamp === undefined) this.stamp.reject(new FakeError(2021))
        else this.stamp.resolve(Buffer.from(exit.value.versionstamp))
      }
      operation.resolve(undefined)
    })
  }

  cancel(): void {
    this.client.cancelled++
    if (this.client.multiVersion && !this.client.connected) return
    if (this.state !== "committed") this.state = "cancelled"
    this.end(1025)
  }

  resetAll(): void {
    this.client.reset++
    this.end(1025)
    this.options = []
    this.timeoutNanos = undefined
    this.attempt = undefined
    this.stamp = undefined
    this.state = "open"
    this.failure = undefined
    this.born = this.client.clock.monotonicTimeNanosUnsafe()
  }
}
