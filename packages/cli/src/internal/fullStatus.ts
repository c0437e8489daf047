/** All that has one name: its election, its slots and its shards, as text. */
import type { FullStatus } from "@effect-fdb/http/FullStatus"
import * as ElectionStatus from "./electionStatus.ts"
import type { SelectedElection } from "./selectedElection.ts"
import * as ShardStatus from "./shardStatus.ts"
import * as SlotStatus from "./slotStatus.ts"
import * as Witnesses from "./witnesses.ts"

export const toLines = (
  selected: SelectedElection,
  { election, shards, slots }: FullStatus,
  witnesses?: number
): ElectionStatus.StatusLines =>
  ElectionStatus.linesOf(
    selected,
    [
      ...(election === undefined ? [] : ElectionStatus.facts(election)),
      ...(witnesses === undefined ? [] : [["Witnesses", Witnesses.text(witnesses)]]),
      ...(slots === undefined ? [] : SlotStatus.facts(slots)),
      ...(shards === undefined ? [] : ShardStatus.facts(shards))
    ],
    [
      ...(election === undefined ? [] : ElectionStatus.candidateLines(election).map((line) => `  ${line}`)),
      ...(slots === undefined ? [] : SlotStatus.details(slots)),
      ...(shards === undefined ? [] : ShardStatus.details(shards))
    ]
  )
