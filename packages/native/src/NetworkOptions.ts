/**
 * Options of the FoundationDB client's network, which hold for the whole process.
 */
import type * as Redacted from "effect/Redacted"

/** Encryption of the connections to the cluster; needed when the addresses in the cluster file end in `:tls`. */
export interface TlsOptions {
  /** The file of the certificate chain, in PEM. */
  readonly certificatePath?: string | undefined
  /** The file of the private key, in PEM. */
  readonly keyPath?: string | undefined
  /** The file of the certificate authorities that the servers' certificates are checked against, in PEM. */
  readonly caPath?: string | undefined
  /** What the private key is encrypted with. */
  readonly keyPassword?: Redacted.Redacted | undefined
  /** Which certificates are accepted, such as `Check.Valid=1,Root.CN=example`. */
  readonly verifyPeers?: string | undefined
}

/** The client's own trace files. */
export interface TraceOptions {
  /** The directory that they are written to. */
  readonly directory: string
  /** `xml` unless set. */
  readonly format?: "xml" | "json" | undefined
  /** The `LogGroup` of each event. */
  readonly logGroup?: string | undefined
}

/**
 * Fault injection by the client itself: some operations fail at random with 1007, 1009, 1020, 1021, 1031, 1042 or 1078. For tests.
 * Both probabilities are percentages.
 */
export interface BuggifyOptions {
  readonly sectionActivatedProbability?: number | undefined
  readonly sectionFiredProbability?: number | undefined
}

/**
 * See the fields; every one may be left out. What is not set here, FoundationDB takes from the environment variables
 * `FDB_TLS_*` and `FDB_NETWORK_OPTION_*`.
 */
export interface NetworkOptions {
  readonly tls?: TlsOptions | undefined
  readonly trace?: TraceOptions | undefined
  /** Further client libraries, so that the process goes on while the cluster is upgraded to another version. */
  readonly externalClientDirectory?: string | undefined
  /** One further client library. */
  readonly externalClientLibrary?: string | undefined
  /** Connects only through external client libraries. */
  readonly disableLocalClient?: boolean | undefined
  /** The client's tuning knobs, each `name=value`. */
  readonly knobs?: ReadonlyArray<string> | undefined
  readonly buggify?: BuggifyOptions | undefined
}
