/** All checkers, and what they find in a history. */
import type { Checker, Violation } from "./Checker.ts"
import { able } from "./checkers/able.ts"
import { apart } from "./checkers/apart.ts"
import { balance } from "./checkers/balance.ts"
import { beliefs } from "./checkers/beliefs.ts"
import { counter } from "./checkers/counter.ts"
import { deadline } from "./checkers/deadline.ts"
import { ending } from "./checkers/ending.ts"
import { growth } from "./checkers/growth.ts"
import { guarded } from "./checkers/guarded.ts"
import { handover } from "./checkers/handover.ts"
import { heartbeats } from "./checkers/heartbeats.ts"
import { liveness } from "./checkers/liveness.ts"
import { moves } from "./checkers/moves.ts"
import { reasons } from "./checkers/reasons.ts"
import { registered } from "./checkers/registered.ts"
import { replaced } from "./checkers/replaced.ts"
import { replay } from "./checkers/replay.ts"
import { scopes } from "./checkers/scopes.ts"
import { sink } from "./checkers/sink.ts"
import { slots } from "./checkers/slots.ts"
import { takeover } from "./checkers/takeover.ts"
import { undisturbed } from "./checkers/undisturbed.ts"
import type { History } from "./History.ts"
import { analyze } from "./internal/analysis.ts"

/** The checkers that do not depend on the work. */
export const ofLeadership: ReadonlyArray<Checker> = [
  beliefs,
  growth,
  replay,
  registered,
  liveness,
  handover,
  takeover,
  heartbeats,
  reasons,
  able,
  replaced,
  apart
]

/** All checkers. Those of a workload are added here. */
export const all: ReadonlyArray<Checker> = [
  ...ofLeadership,
  guarded,
  counter,
  sink,
  deadline,
  ending,
  undisturbed,
  scopes,
  slots,
  balance,
  moves
]

/** Returns the violations in a history in the order of time. All checkers run by default. */
export const check = (history: History, checkers: ReadonlyArray<Checker> = all): Array<Violation> => {
  const elections = analyze(history)
  return checkers.flatMap(({ check }) => check(elections)).toSorted((a, b) => a.at - b.at)
}
