/**
 * The part of the npm package `foundationdb` that the engine uses.
 *
 * `load.ts` assigns the package to these interfaces, so the compiler refuses a package that does not fit. Keys and values are
 * `Buffer`s: any other value but a string leaves a flag set in the native code, and the second one aborts the process.
 */

export interface Binding {
  /** Succeeds at most once in a process. An older client needs the header version. */
  setAPIVersion(version: number, headerVersion?: number): void
  /** Works only before the first `open`. */
  configNetwork(options: BindingNetworkOptions): void
  /** The first call starts the network thread and adds a listener to the process's `exit` that stops and joins it. */
  open(clusterFile?: string, options?: BindingDatabaseOptions): BindingDatabase
}

/** The network options, by the package's names. */
export interface BindingNetworkOptions {
  TLS_cert_path?: string
  TLS_key_path?: string
  TLS_ca_path?: string
  TLS_password?: string
  TLS_verify_peers?: Buffer
  trace_enable?: string
  trace_format?: string
  trace_log_group?: string
  external_client_library?: string
  external_client_directory?: string
  disable_local_client?: true
  client_buggify_enable?: true
  client_buggify_section_activated_probability?: number
  client_buggify_section_fired_probability?: number
  knob?: string
}

export interface BindingDatabaseOptions {
  max_watches?: number
  machine_id?: string
  datacenter_id?: string
}

/** A database. It connects only when it is used. */
export interface BindingDatabase {
  rawCreateTransaction(): BindingTransaction
  /** A second call, or any use after the first, throws a plain `Error`. */
  close(): void
}

/** A key selector. The package recognizes it by `_isKeySelector`. */
export interface BindingSelector {
  readonly key: Buffer
  readonly orEqual: boolean
  readonly offset: number
  readonly _isKeySelector: true
}

export interface BindingPage {
  readonly results: ReadonlyArray<readonly [Buffer, Buffer]>
  readonly more: boolean
}

/** Reads. Only the promise forms: the callback forms fail in other ways. */
export interface BindingReads {
  get(key: Buffer): Promise<Buffer | undefined>
  /** `undefined` for the empty key. */
  getKey(selector: BindingSelector): Promise<Buffer | undefined>
  getRangeNative(
    begin: BindingSelector,
    end: BindingSelector,
    limit: number,
    targetBytes: number,
    streamingMode: number,
    iteration: number,
    reverse: boolean
  ): Promise<BindingPage>
}

/** A watch. With `throwAllErrors`, its promise resolves to `true` or rejects. */
export interface BindingWatch {
  readonly promise: Promise<boolean>
  cancel(): void
}

export interface BindingTransaction extends BindingReads {
  setOption(code: number, value?: number | Buffer): void
  snapshot(): BindingReads
  set(key: Buffer, value: Buffer): void
  clear(key: Buffer): void
  clearRange(begin: Buffer, end: Buffer): void
  atomicOpNative(code: number, key: Buffer, operand: Buffer): void
  addReadConflictRange(begin: Buffer, end: Buffer): void
  addWriteConflictRange(begin: Buffer, end: Buffer): void
  getReadVersion(): Promise<Buffer>
  setReadVersion(version: Buffer): void
  /** Eight bytes; all ones after a commit that wrote nothing. */
  getCommittedVersion(): Buffer
  /** Call it before the commit. It settles with the commit. */
  getVersionstamp(): { promise: Promise<Buffer> }
  watch(key: Buffer, options: { throwAllErrors: boolean }): BindingWatch
  rawCommit(): Promise<void>
  rawCancel(): void
  rawReset(): void
}

/** An error of FoundationDB. The binding reports all others as plain `Error`s. */
export interface BindingError extends Error {
  readonly code: number
}

/** Whether a value is an error of FoundationDB: its code is a number, Node's codes are strings. */
export const isBindingError = (cause: unknown): cause is BindingError =>
  cause instanceof Error && "code" in cause && typeof cause.code === "number"
