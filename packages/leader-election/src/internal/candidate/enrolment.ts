/** From who campaigns, as they say themselves, to a member of the election. */
import { Database } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Election } from "../../Candidacy.ts"
import type { CandidateOptions } from "../../CandidateOptions.ts"
import { validate as validateConfig } from "../../ElectionConfig.ts"
import type { InvalidCandidate, InvalidConfig } from "../../ElectionError.ts"
import { ElectionObserver } from "../../ElectionObserver.ts"
import * as Reign from "../leader/leadership.ts"
import * as Keys from "../storage/keys.ts"
import { Member } from "./candidate.ts"
import { defaultId } from "./defaultId.ts"
import * as Candidate from "./validation.ts"

/** A member, which leaves with the scope. */
export const enrol = Effect.fnUntraced(function*(
  { config, subspace }: Election,
  { id: given, priority = 0, safetyMargin }: CandidateOptions
): Effect.fn.Return<Member, InvalidCandidate | InvalidConfig, Database | Scope.Scope> {
  const id = given ?? (yield* defaultId)
  yield* Candidate.validate(id, priority)
  if (config !== undefined) yield* validateConfig(config)
  const member = new Member({
    keys: Keys.make(subspace),
    database: yield* Database,
    clock: yield* Clock.Clock,
    observer: yield* ElectionObserver,
    config,
    id,
    priority,
    marginOf: yield* Candidate.toMargin(safetyMargin)
  })
  yield* Effect.addFinalizer(() => Reign.close(member))
  return member
})
