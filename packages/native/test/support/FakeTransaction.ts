/** A transaction of the double: what JavaScript holds, and what the binding's own layer checks. */
import type { AtomicOp } from "@effect-fdb/core"
import { Effect } from "effect"
import type {
  BindingPage,
  BindingReads,
  BindingSelector,
  BindingTransaction,
  BindingWatch
} from "../../src/internal/binding.ts"
import { mutationCodes, optionCodes } from "../../src/internal/encoding.ts"
import { FakeError } from "./FakeError.ts"
import type { NativeState } from "./NativeState.ts"

const isNoneOption = (code: number): boolean =>
  code === optionCodes.causalReadRisky || code === optionCodes.priorityBatch ||
  code === optionCodes.prioritySystemImmediate

/** Answered by the client itself, whether or not a server answers. */
const statusKey = Buffer.concat([Buffer.of(255, 255), Buffer.from("/status/json")])

const atomicOps = new Map(Object.entries(mutationCodes).map(([op, code]) => [code, op as AtomicOp]))

export class FakeTransaction implements BindingTransaction {
  private readonly native: NativeState
  private readonly isSnapshot: boolean

  constructor(native: NativeState, isSnapshot: boolean) {
    this.native = native
    this.isSnapshot = isSnapshot
  }

  /** The real binding leaks a flag for anything else, and aborts the process the second time. */
  private bytes(...values: ReadonlyArray<unknown>): void {
    for (const value of values) {
      if (Buffer.isBuffer(value)) continue
      this.native.client.violate(`a key or value is no Buffer: ${typeof value}`)
      throw new TypeError("Invalid param - must be string, buffer or arraybuffer")
    }
  }

  private selector(selector: BindingSelector): void {
    this.bytes(selector.key)
    if (selector._isKeySelector !== true) this.native.client.violate("a selector without its mark")
    if (!Number.isInteger(selector.offset) || (selector.offset | 0) !== selector.offset) {
      this.native.client.violate(`an offset beyond 32 bits: ${selector.offset}`)
    }
  }

  setOption(code: number, value?: number | Buffer): void {
    this.native.client.faultOf("option")
    if (isNoneOption(code) !== (value === undefined)) this.native.client.violate(`option ${code} with ${value}`)
    if (typeof value === "string") throw new TypeError("Second argument must be a number or buffer")
    if (typeof value === "number" && !Number.isInteger(value)) {
      this.native.client.violate(`option ${code} with ${value}`)
    }
    this.native.setOption(code, value)
  }

  snapshot(): BindingReads {
    return new FakeTransaction(this.native, true)
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    this.bytes(key)
    if (key.equals(statusKey)) {
      const { status } = this.native.client
      return this.native.read(() => Effect.succeed(status), (json) => json === undefined ? json : Buffer.from(json))
    }
    return this.native.read(
      (engine) => engine.get(key, this.isSnapshot),
      (value) => (value === undefined ? undefined : Buffer.from(value))
    )
  }

  getKey(selector: BindingSelector): Promise<Buffer | undefined> {
    this.selector(selector)
    return this.native.read(
      (engine) => engine.getKey(selector, this.isSnapshot),
      (key) => (key.length === 0 ? undefined : Buffer.from(key))
    )
  }

  getRangeNative(
    begin: BindingSelector,
    end: BindingSelector,
    limit: number,
    _targetBytes: number,
    streamingMode: number,
    _iteration: number,
    reverse: boolean
  ): Promise<BindingPage> {
    this.selector(begin)
    this.selector(end)
    const mode = streamingMode === -2 ? "all" : "page"
    return this.native.read(
      (engine) => engine.getPage(begin, end, { limit, reverse, snapshot: this.isSnapshot, mode }),
      ({ more, values }) => ({
        more,
        results: values.map(({ key, value }) => [Buffer.from(key), Buffer.from(value)] as const)
      })
    )
  }

  set(key: Buffer, value: Buffer): void {
    this.bytes(key, value)
    this.native.mutate((engine) => engine.mutate({ _tag: "Set", key: copy(key), value: copy(value) }))
  }

  clear(key: Buffer): void {
    this.bytes(key)
    this.native.mutate((engine) => engine.mutate({ _tag: "Clear", key: copy(key) }))
  }

  clearRange(begin: Buffer, end: Buffer): void {
    this.bytes(begin, end)
    this.native.mutate((engine) => engine.mutate({ _tag: "ClearRange", begin: copy(begin), end: copy(end) }))
  }

  atomicOpNative(code: number, key: Buffer, operand: Buffer): void {
    this.bytes(key, operand)
    this.native.mutate((engine) => {
      if (code === mutationCodes.SetVersionstampedKey) {
        return engine.mutate({ _tag: "SetVersionstampedKey", key: gap(key), value: copy(operand) })
      }
      if (code === mutationCodes.SetVersionstampedValue) {
        return engine.mutate({ _tag: "SetVersionstampedValue", key: copy(key), value: gap(operand) })
      }
      const op = atomicOps.get(code)
      if (op === undefined) throw new FakeError(2018)
      engine.mutate({ _tag: "Atomic", op, key: copy(key), operand: copy(operand) })
    })
  }

  addReadConflictRange(begin: Buffer, end: Buffer): void {
    this.bytes(begin, end)
    this.native.mutate((engine) => engine.addReadConflict({ begin: copy(begin), end: copy(end) }))
  }

  addWriteConflictRange(begin: Buffer, end: Buffer): void {
    this.bytes(begin, end)
    this.native.mutate((engine) => engine.addWriteConflict({ begin: copy(begin), end: copy(end) }))
  }

  getReadVersion(): Promise<Buffer> {
    return this.native.read((engine) => engine.readVersion, bigEndian)
  }

  setReadVersion(version: Buffer): void {
    if (version.length !== 8) throw new Error("Invalid version buffer - must be 8 bytes")
    this.native.setReadVersion(version.readBigInt64BE())
  }

  getCommittedVersion(): Buffer {
    return bigEndian(this.native.committedVersion)
  }

  getVersionstamp(): { promise: Promise<Buffer> } {
    return this.native.getVersionstamp()
  }

  watch(key: Buffer, options: { throwAllErrors: boolean }): BindingWatch {
    this.bytes(key)
    return this.native.watch(copy(key), options.throwAllErrors)
  }

  rawCommit(): Promise<void> {
    return this.native.commit()
  }

  rawCancel(): void {
    this.native.cancel()
  }

  rawReset(): void {
    this.native.resetAll()
  }
}

/** Native code copies the bytes before the call returns. */
const copy = (bytes: Buffer): Buffer => Buffer.from(bytes)

const gap = (stamped: Buffer) => ({
  bytes: copy(stamped.subarray(0, -4)),
  offset: stamped.readUInt32LE(stamped.length - 4)
})

const bigEndian = (version: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(version)
  return bytes
}
