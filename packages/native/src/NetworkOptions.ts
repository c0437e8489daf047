/** Options of the FoundationDB client's network. They hold for the whole process. */
import type * as Redacted from "effect/Redacted"

/**
 * Encryption of the connections to the cluster. Required if the addresses in the cluster file end in `:tls`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TlsOptions {
  /** The file of the certificate chain, in PEM. */
  readonly certificatePath?: string | undefined
  /** The file of the private key, in PEM. */
  readonly keyPath?: string | undefined
  /** The file of the certificate authorities that sign the servers' certificates, in PEM. */
  readonly caPath?: string | undefined
  /** The password of the private key. */
  readonly keyPassword?: Redacted.Redacted | undefined
  /** The accepted certificates, such as `Check.Valid=1,Root.CN=example`. */
  readonly verifyPeers?: string | undefined
}

/**
 * The client's own trace files.
 *
 * @since 0.1.0
 * @category models
 */
export interface TraceOptions {
  /** The directory of the files. */
  readonly directory: string
  /** `xml` unless set. */
  readonly format?: "xml" | "json" | undefined
  /** The `LogGroup` of each event. */
  readonly logGroup?: string | undefined
}

/**
 * Fault injection by the client itself: some operations fail at random with 1007, 1009, 1020, 1021, 1031, 1042 or 1078. For tests.
 * Both probabilities are percentages.
 *
 * @since 0.1.0
 * @category models
 */
export interface BuggifyOptions {
  readonly sectionActivatedProbability?: number | undefined
  readonly sectionFiredProbability?: number | undefined
}

/**
 * The options of the network. For an option that is not set, FoundationDB reads the environment variables `FDB_TLS_*` and
 * `FDB_NETWORK_OPTION_*`.
 *
 * @since 0.1.0
 * @category models
 */
export interface NetworkOptions {
  readonly tls?: TlsOptions | undefined
  readonly trace?: TraceOptions | undefined
  /** The directory of further client libraries, so that the process can use the cluster before and after an upgrade. */
  readonly externalClientDirectory?: string | undefined
  /** The path of one further client library. */
  readonly externalClientLibrary?: string | undefined
  /** Connects only through external client libraries. */
  readonly disableLocalClient?: boolean | undefined
  /** The client's tuning knobs, each `name=value`. */
  readonly knobs?: ReadonlyArray<string> | undefined
  readonly buggify?: BuggifyOptions | undefined
}
