/** The records of shards as bytes: tuples that begin with a version, as those of elections (see `storage/codec.ts`). */
import { Bytes, Tuple } from "@effect-fdb/core"
import * as Result from "effect/Result"
import type { Assignment } from "./assignment.ts"

const version = 1n

const fieldsOf = (bytes: Uint8Array): Result.Result<ReadonlyArray<Tuple.TupleElement>, string> =>
  Result.flatMap(
    Result.mapError(Tuple.unpack(bytes), ({ message }) => message),
    ([written, ...fields]) => {
      if (written === version) return Result.succeed(fields)
      return Result.fail(
        typeof written === "bigint" && written > version
          ? `it has version ${written}, this library knows version ${version}: upgrade this process`
          : "it is no record of this library: it does not begin with a version"
      )
    }
  )

/** What a member says of itself. `since`: when, by its wall clock, in nanoseconds. */
export interface MemberRecord {
  readonly weight: number
  readonly since: bigint
}

export const encodeMember = ({ since, weight }: MemberRecord): Uint8Array =>
  Tuple.pack([version, Tuple.double(weight), since])

export const decodeMember = (bytes: Uint8Array): Result.Result<MemberRecord, string> =>
  Result.flatMap(fieldsOf(bytes), (fields) => {
    const [weight, since] = fields
    return fields.length === 2 && weight instanceof Tuple.Double && isWeight(weight.value) && typeof since === "bigint"
      ? Result.succeed({ weight: weight.value, since })
      : Result.fail("it is not a weight and a time")
  })

/** The greatest weight, so that sums of weights stay exact enough. */
export const maxWeight = 1_000_000

export const isWeight = (weight: number): boolean => weight >= 0 && weight <= maxWeight

/** The most shards. Each has an election of its own, and all are in one table. */
export const maxShards = 16_384

/** The head of the table. Term and serial together are those of no other table. */
export interface TableHead {
  readonly shards: number
  /** The term of the coordinator that wrote it, and how many it had written before. */
  readonly term: bigint
  readonly serial: bigint
  /** The bytes of the body, over all pages. */
  readonly size: number
}

export const encodeHead = ({ serial, shards, size, term }: TableHead): Uint8Array =>
  Tuple.pack([version, shards, term, serial, size])

const isWithin = (value: unknown, least: bigint, most: bigint): value is bigint =>
  typeof value === "bigint" && value >= least && value <= most

export const decodeHead = (bytes: Uint8Array): Result.Result<TableHead, string> =>
  Result.flatMap(fieldsOf(bytes), (fields) => {
    const [shards, term, serial, size] = fields
    return fields.length === 4 && isWithin(shards, 1n, BigInt(maxShards)) && isWithin(term, 0n, 2n ** 63n) &&
        isWithin(serial, 0n, 2n ** 63n) && isWithin(size, 0n, 10_000_000n)
      ? Result.succeed({ shards: Number(shards), term, serial, size: Number(size) })
      : Result.fail("it is not the head of a table of shards")
  })

/** The place of an id in the list, from one on; none is zero. Two bytes for each. */
const encodePlaces = (ids: ReadonlyArray<string | undefined>, placeOf: ReadonlyMap<string, number>): Uint8Array => {
  const places = new Uint8Array(2 * ids.length)
  for (const [i, id] of ids.entries()) Bytes.writeUint(places, 2 * i, 2, id === undefined ? 0 : placeOf.get(id)! + 1)
  return places
}

export const encodeBody = ({ owners, standbys }: Assignment): Uint8Array => {
  const ids = [...new Set([...owners, ...standbys])].filter((id) => id !== undefined)
  const placeOf = new Map(ids.map((id, place) => [id, place]))
  return Tuple.pack([ids, encodePlaces(owners, placeOf), encodePlaces(standbys, placeOf)])
}

const decodePlaces = (
  element: Tuple.TupleElement | undefined,
  shards: number,
  ids: ReadonlyArray<Tuple.TupleElement>
): ReadonlyArray<string | undefined> | undefined => {
  if (!(element instanceof Uint8Array) || element.length !== 2 * shards) return undefined
  const places = Array.from({ length: shards }, (_, i) => Bytes.readUint(element, 2 * i, 2))
  if (places.some((place) => place > ids.length)) return undefined
  return places.map((place) => place === 0 ? undefined : ids[place - 1] as string)
}

export const decodeBody = (bytes: Uint8Array, { shards, size }: TableHead): Result.Result<Assignment, string> => {
  if (bytes.length !== size) return Result.fail(`its pages have ${bytes.length} bytes, not ${size}`)
  return Result.flatMap(
    Result.mapError(Tuple.unpack(bytes), ({ message }) => message),
    ([ids, ownerPlaces, standbyPlaces]) => {
      if (!Array.isArray(ids) || ids.some((id) => typeof id !== "string")) {
        return Result.fail("its pages name no members")
      }
      const owners = decodePlaces(ownerPlaces, shards, ids)
      const standbys = decodePlaces(standbyPlaces, shards, ids)
      return owners === undefined || standbys === undefined
        ? Result.fail(`its pages do not name a member for each of ${shards} shards`)
        : Result.succeed({ owners, standbys })
    }
  )
}
