/** An event of a candidate as JSON: for `/events`, and for logs that machines read. */
import { Versionstamp } from "@effect-fdb/core"
import type { ElectionEvent } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as ConfigJson from "./ConfigJson.ts"

/**
 * The event as plain data: `event` is its name. Terms and ballots are strings, for they have 64 bits; a duration is in
 * milliseconds, under its name with `Millis`. What only this process's clock can tell is left out.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJson = (
  { _tag, ...fields }: ElectionEvent
): { readonly event: ElectionEvent["_tag"] } & Readonly<Record<string, unknown>> => {
  const json: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (name === "believesUntil") continue
    if (Duration.isDuration(value)) json[`${name}Millis`] = Duration.toMillis(value)
    else json[name] = plain(name, value)
  }
  return { event: _tag, ...json }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

const plain = (name: string, value: unknown): unknown => {
  if (typeof value === "bigint") return String(value)
  if (value === undefined) return null
  if (value instanceof Error) return value.message
  if (Versionstamp.isVersionstamp(value)) return hex(value.bytes)
  return name === "given" || name === "inForce"
    ? ConfigJson.toJson(value as Parameters<typeof ConfigJson.toJson>[0])
    : value
}
