/** The shards of an election as text. */
import type { ShardStatus } from "@effect-fdb/http/ShardStatus"
import stringWidth from "string-width"
import * as Durations from "./durations.ts"
import { instantText } from "./electionStatus.ts"
import * as Table from "./table.ts"

/** Ascending numbers as ranges: `0-3`, `7`. */
export const ranges = (numbers: ReadonlyArray<number>): Array<string> => {
  const texts: Array<string> = []
  for (let i = 0; i < numbers.length;) {
    const first = i
    while (numbers[i + 1] === numbers[i]! + 1) i++
    texts.push(first === i ? String(numbers[i]) : `${numbers[first]}-${numbers[i]}`)
    i++
  }
  return texts
}

const grouped = <A, K>(all: ReadonlyArray<A>, keyOf: (one: A) => K): Map<K, Array<A>> => {
  const groups = new Map<K, Array<A>>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

const columns = 78

/** Where it takes more lines to list the shards of a member term by term, its terms are told together. */
const mostLines = 4

/** Words in lines that fit into a terminal, after a label. */
const wrapped = (label: string, words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines = [label]
  for (const word of words) {
    const line = lines.at(-1)!
    if (stringWidth(line) + 1 + stringWidth(word) > columns) lines.push(`      ${word}`)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines
}

type ShardState = ShardStatus["shards"][number]

/** The ranges, separated by commas, with `end` after the last one. */
const rangesOf = (shards: ReadonlyArray<ShardState>, end = ""): ReadonlyArray<string> =>
  ranges(shards.map(({ shard }) => shard)).map((text, i, { length }) => text + (i < length - 1 ? "," : end))

const nameOf = (id: string | undefined): string => id ?? "nobody"

/** What a shard that its owner does not lead comes to, after the shard. */
const deviation = ({ leader, owner }: ShardState, now: bigint): string => {
  const owned = `owned by ${nameOf(owner)}`
  if (leader === undefined) return `${owned}, led by nobody`
  return leader.isLeaseValid(now)
    ? `${owned}, led by ${leader.leaderId}`
    : `${owned}, led by nobody: the lease of ${leader.leaderId} has lapsed`
}

/** Each shard, as it is led: by its owner, by another, or by nobody. */
const stateOf = ({ leader, owner }: ShardState, now: bigint): "owner" | "other" | "nobody" => {
  if (leader === undefined || !leader.isLeaseValid(now)) return "nobody"
  return leader.leaderId === owner ? "owner" : "other"
}

const summary = ({ now, shards }: ShardStatus): string => {
  if (shards.length === 0) return "not assigned yet"
  const by = grouped(shards, (shard) => stateOf(shard, now))
  const count = (state: "owner" | "other" | "nobody") => by.get(state)?.length ?? 0
  if (count("owner") === shards.length) return `${shards.length}, each led by its owner`
  if (count("nobody") === shards.length) return `${shards.length}, none of them led`
  const parts = [
    [count("owner"), "led by their owners"],
    [count("other"), "led by others"],
    [count("nobody"), "led by nobody"]
  ] as const
  return `${shards.length}: ${parts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`).join(", ")}`
}

export const facts = (status: ShardStatus): ReadonlyArray<ReadonlyArray<string>> => {
  const { coordinator, members, now } = status
  const coordinated = coordinator === undefined
    ? "no coordinator"
    : `the coordinator is ${coordinator.leaderId}, in term ${coordinator.term}` +
      (coordinator.isLeaseValid(now) ? "" : ", whose lease has lapsed")
  const alive = members.filter(({ isAlive }) => isAlive).length
  return [["Shards", summary(status)], ["Members", `${alive === 0 ? "none alive" : `${alive} alive`}; ${coordinated}`]]
}

/** The shards that are not led by their owners, and then each member with its own. */
export const details = ({ members, now, shards }: ShardStatus): ReadonlyArray<string> => {
  const deviating = grouped(
    shards.filter((shard) => stateOf(shard, now) !== "owner"),
    (shard) => deviation(shard, now)
  )
  const owned = grouped(shards, ({ owner }) => owner)
  const led = grouped(
    shards.filter((shard) => stateOf(shard, now) !== "nobody"),
    ({ leader }) => leader?.leaderId
  )
  const stoodBy = grouped(shards, ({ standby }) => standby)
  const memberOf = new Map(members.map((member) => [member.id, member]))
  const named = [owned, led, stoodBy].flatMap((by) => [...by.keys()]).filter((id) => id !== undefined)
  const ids = [...new Set([...memberOf.keys(), ...named])]
  const rows = ids.map((id) => {
    const member = memberOf.get(id)
    const counts = [`owns ${owned.get(id)?.length ?? 0}`, `leads ${led.get(id)?.length ?? 0}`]
    if (member === undefined) return [id, "no member", ...counts, "has left, or was found dead", ""]
    const heartbeat = member.lastHeartbeat === undefined
      ? "evicted"
      : `heartbeat ${Durations.formatNanos(now - member.lastHeartbeat)} ago`
    return [
      id,
      `weight ${member.weight}`,
      ...counts,
      member.isAlive ? heartbeat : `dead: ${heartbeat}`,
      `since ${instantText(member.since)}`
    ]
  })
  const listOf = (id: string): ReadonlyArray<string> => {
    const leads = led.get(id) ?? []
    const byTerm = [...grouped(leads, ({ leader }) => leader!.term)].toSorted(([a], [b]) => a < b ? -1 : 1)
    const standsBy = rangesOf(stoodBy.get(id) ?? [])
    const lines = byTerm.flatMap(([term, shards]) => wrapped(`    leads in term ${term}:`, rangesOf(shards)))
    return [
      // Which shard has which term is then told by --json only.
      ...(lines.length > mostLines
        ? wrapped(`    leads in terms ${byTerm[0]![0]} to ${byTerm.at(-1)![0]}:`, rangesOf(leads))
        : lines),
      ...(standsBy.length === 0 ? [] : wrapped("    stands by for:", standsBy))
    ]
  }
  return [
    ...[...deviating].flatMap(([what, shards]) => wrapped("  !", [...rangesOf(shards, ":"), what])),
    ...Table.lines(rows).flatMap((line, i) => [`  ${line}`, ...listOf(ids[i]!)])
  ]
}
