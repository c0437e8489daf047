/** What a contender was last given of a leadership, for those who ask about it and do not run its work. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Leadership } from "../../Leadership.ts"
import type { Contender } from "./withLeadership.ts"

/** The same contender, and the leadership of its last tenure for as long as it believes in it. */
export const remembering = <L extends Leadership>({ about, elect, present }: Contender<L>) => {
  let last: L | undefined
  const contender: Contender<L> = {
    about,
    elect,
    present: (leadership, candidate) => last = present(leadership, candidate)
  }
  const leadership: Effect.Effect<Option.Option<L>> = Effect.suspend(() => {
    const asked = last
    return asked === undefined
      ? Effect.succeedNone
      : Effect.map(asked.isHeld, (isHeld) => isHeld ? Option.some(asked) : Option.none())
  })
  return { contender, leadership }
}
