/**
 * What the engine uses of the npm package `foundationdb`, and nothing more.
 *
 * The package's own types are held against these interfaces where it is loaded (`load.ts`), so the compiler refuses a
 * binding that no longer fits. Everything here speaks `Buffer`: a value that is neither text nor `Buffer` makes the native
 * code leak a flag, and the second such mistake aborts the process.
 */

/** The module. */
export interface Binding {
  /** At most once with success in a process; the header version tells an older client what to expect. */
  setAPIVersion(version: number, headerVersion?: number): void
  /** Only before the first `open`. */
  configNetwork(options: BindingNetworkOptions): void
  /** The first call starts the network thread and adds a listener to the process's `exit` that stops and joins it. */
  open(clusterFile?: string, options?: BindingDatabaseOptions): BindingDatabase
}

/** The network options that are passed on, by the names that the package gives them. */
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

/** The database options that are passed on. */
export interface BindingDatabaseOptions {
  max_watches?: number
  machine_id?: string
  datacenter_id?: string
}

/** A database. It connects only when it is used. */
export interface BindingDatabase {
  rawCreateTransaction(): BindingTransaction
  /** Once, and last: a second call, or use after it, throws a plain `Error`. */
  close(): void
}

/** A key selector; the package knows it by the mark. */
export interface BindingSelector {
  readonly key: Buffer
  readonly orEqual: boolean
  readonly offset: number
  readonly _isKeySelector: true
}

/** One page of a range. */
export interface BindingPage {
  readonly results: ReadonlyArray<readonly [Buffer, Buffer]>
  readonly more: boolean
}

/** Reading. The promise forms only: the callback forms have other failure modes. */
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

/** A watch. With all errors asked for, its promise gives `true` or rejects. */
export interface BindingWatch {
  readonly promise: Promise<boolean>
  cancel(): void
}

/** One native transaction. */
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
  /** To be called before the commit; settles with it. */
  getVersionstamp(): { promise: Promise<Buffer> }
  watch(key: Buffer, options: { throwAllErrors: boolean }): BindingWatch
  rawCommit(): Promise<void>
  rawCancel(): void
  rawReset(): void
}

/** The error that the binding throws, and rejects with, for an error of FoundationDB; all else is a plain `Error`. */
export interface BindingError extends Error {
  readonly code: number
}

/** Whether a thrown value is an error of FoundationDB, told by its numeric code (Node's own codes are text). */
export const isBindingError = (cause: unknown): cause is BindingError =>
  cause instanceof Error && "code" in cause && typeof cause.code === "number"
