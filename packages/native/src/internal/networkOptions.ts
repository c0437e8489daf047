/**
 * Encodes network options for the binding.
 *
 * Unset options are left out: the binding applies every key that is present, so `false` would switch an option *on*.
 */
import * as Redacted from "effect/Redacted"
import type { NetworkOptions } from "../NetworkOptions.ts"
import type { BindingNetworkOptions } from "./binding.ts"

/** Drops unset options. The type requires that all options are listed. */
export const dropUnset = <O extends object>(options: { [K in keyof Required<O>]: O[K] | undefined }): O =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O

/** One record with all options, and one record for each further knob, because a record holds only one. */
export const encode = (options: NetworkOptions): ReadonlyArray<BindingNetworkOptions> => {
  const { buggify, knobs = [], tls, trace } = options
  const first = dropUnset<BindingNetworkOptions>({
    // The password must come before the key that it decrypts.
    TLS_password: tls?.keyPassword === undefined ? undefined : Redacted.value(tls.keyPassword),
    TLS_cert_path: tls?.certificatePath,
    TLS_key_path: tls?.keyPath,
    TLS_ca_path: tls?.caPath,
    TLS_verify_peers: tls?.verifyPeers === undefined ? undefined : Buffer.from(tls.verifyPeers),
    trace_enable: trace?.directory,
    trace_format: trace?.format,
    trace_log_group: trace?.logGroup,
    external_client_library: options.externalClientLibrary,
    external_client_directory: options.externalClientDirectory,
    disable_local_client: options.disableLocalClient === true ? true : undefined,
    client_buggify_enable: buggify === undefined ? undefined : true,
    client_buggify_section_activated_probability: buggify?.sectionActivatedProbability,
    client_buggify_section_fired_probability: buggify?.sectionFiredProbability,
    knob: knobs[0]
  })
  return [first, ...knobs.slice(1).map((knob) => ({ knob }))].filter((record) => Object.keys(record).length > 0)
}

/** A text to compare two sets of options. It contains secrets. */
export const identity = (options: NetworkOptions): string => JSON.stringify(encode(options))
