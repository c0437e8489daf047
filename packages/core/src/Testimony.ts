/**
 * What the processes of a host tell each other of a candidate: in which election it takes part, under which id, and by which registration.
 *
 * A registration has a versionstamp that no other has. So a testimony names one process: the one that has registered, and the only
 * one that believes in the tenures of this candidate.
 */
import * as Option from "effect/Option"
import * as Bytes from "./Bytes.ts"
import * as Subspace from "./Subspace.ts"
import * as Versionstamp from "./Versionstamp.ts"

/**
 * A testimony as a text without a line break in its first two parts: the prefix of the election, the registration, the id. The
 * testimonies of one election sort, as texts, in the order of registration.
 *
 * @since 0.1.0
 * @category models
 */
export type Testimony = string

/**
 * What a testimony says.
 *
 * @since 0.1.0
 * @category models
 */
export interface Parts {
  /** The subspace of the election. */
  readonly subspace: Subspace.Subspace
  /** The id of the candidate. */
  readonly id: string
  /** The versionstamp of its registration. */
  readonly registration: Versionstamp.Versionstamp
}

const separator = "/"

/**
 * The election of testimonies, as a text: what they begin with.
 *
 * @example Testimony.ofSubspace(Subspace.make(Uint8Array.of(0x15, 1))) // => "1501"
 * @since 0.1.0
 * @category getters
 */
export const ofSubspace = (subspace: Subspace.Subspace): string => Bytes.toHex(subspace.prefix)

/**
 * The election of a testimony; see {@link ofSubspace}.
 *
 * @example Testimony.electionOf("1501/000000000000000100000000/web-1") // => "1501"
 * @since 0.1.0
 * @category getters
 */
export const electionOf = (testimony: Testimony): string => testimony.slice(0, testimony.indexOf(separator))

/**
 * Makes a testimony. `election` is what {@link ofSubspace} gives.
 *
 * **Example**
 *
 * ```ts
 * import { Testimony, Versionstamp } from "@effect-fdb/core"
 *
 * const registration = Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0))
 *
 * Testimony.make("1501", "web-1", registration) // => "1501/000000000000000100000000/web-1"
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (election: string, id: string, registration: Versionstamp.Versionstamp): Testimony =>
  [election, registration.toString(), id].join(separator)

const shape = new RegExp(`^((?:[0-9a-f]{2})*)${separator}([0-9a-f]{${2 * Versionstamp.length}})${separator}(.+)$`, "s")

/**
 * What a testimony says; nothing if the text is no testimony.
 *
 * @example Option.isNone(Testimony.parse("a word")) // => true
 * @since 0.1.0
 * @category conversions
 */
export const parse = (testimony: Testimony): Option.Option<Parts> => {
  const [, prefix, stamp, id] = shape.exec(testimony) ?? []
  return prefix === undefined || stamp === undefined || id === undefined ? Option.none() : Option.some({
    subspace: Subspace.make(Bytes.fromHex(prefix)),
    id,
    registration: new Versionstamp.Versionstamp(Bytes.fromHex(stamp))
  })
}
