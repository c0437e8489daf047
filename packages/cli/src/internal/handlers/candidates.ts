import { read, toJson } from "@effect-fdb/http/ElectionStatus"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { printJson, printLines } from "../commands/root.ts"
import * as ElectionStatus from "../electionStatus.ts"
import { type SelectedElection, transact } from "../selectedElection.ts"

export const candidates = Effect.fnUntraced(function*(selected: SelectedElection, json: boolean) {
  const status = yield* read(selected)
  if (json) return yield* printJson(toJson(selected, status).candidates)
  if (status.candidates.length > 0) return yield* printLines(ElectionStatus.candidateLines(status))
  yield* Console.log(`no candidate of ${selected.name.text} is alive`)
})

export const evict = Effect.fnUntraced(function*({ election, name }: SelectedElection) {
  const evicted = yield* transact(election.evictDeadCandidates)
  yield* Console.log(
    evicted === 0
      ? `no candidate of ${name.text} was removed: none is dead, except perhaps the leader, which is never removed`
      : `${evicted} dead candidate${evicted === 1 ? "" : "s"} of ${name.text} removed`
  )
})
