/** From who campaigns, as they say themselves, to a member of the election. */
import { Database, type Subspace } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CandidateOptions } from "../CandidateOptions.ts"
import type { InvalidCandidate } from "../ElectionError.ts"
import { ElectionObserver } from "../ElectionObserver.ts"
import * as Candidate from "./candidate.ts"
import * as Keys from "./keys.ts"
import { Member } from "./member.ts"
import * as Reign from "./reign.ts"

/** A member, which leaves with the scope. */
export const enrol = Effect.fnUntraced(function*(
  subspace: Subspace.Subspace,
  { id, priority = 0, safetyMargin }: CandidateOptions
): Effect.fn.Return<Member, InvalidCandidate, Database | Scope.Scope> {
  yield* Candidate.validate(id, priority)
  const member = new Member({
    keys: Keys.make(subspace),
    database: yield* Database,
    clock: yield* Clock.Clock,
    observer: yield* ElectionObserver,
    id,
    priority,
    marginOf: yield* Candidate.toMargin(safetyMargin)
  })
  yield* Effect.addFinalizer(() => Reign.close(member))
  return member
})
