/** All checkers, and what they say of a history. */
import type { Checker, Violation } from "./Checker.ts"
import * as able from "./checkers/able.ts"
import * as beliefs from "./checkers/beliefs.ts"
import * as counter from "./checkers/counter.ts"
import * as deadline from "./checkers/deadline.ts"
import * as ending from "./checkers/ending.ts"
import * as growth from "./checkers/growth.ts"
import * as guarded from "./checkers/guarded.ts"
import * as handover from "./checkers/handover.ts"
import * as liveness from "./checkers/liveness.ts"
import * as reasons from "./checkers/reasons.ts"
import * as registered from "./checkers/registered.ts"
import * as replaced from "./checkers/replaced.ts"
import * as replay from "./checkers/replay.ts"
import * as scopes from "./checkers/scopes.ts"
import * as sink from "./checkers/sink.ts"
import * as undisturbed from "./checkers/undisturbed.ts"
import type { History } from "./History.ts"
import * as Analysis from "./internal/analysis.ts"

/** In the order in which they report. */
export const all: ReadonlyArray<Checker> = [
  beliefs.checker,
  growth.checker,
  guarded.checker,
  counter.checker,
  sink.checker,
  replay.checker,
  registered.checker,
  deadline.checker,
  ending.checker,
  liveness.checker,
  handover.checker,
  undisturbed.checker,
  reasons.checker,
  scopes.checker,
  able.checker,
  replaced.checker
]

/** Those that do not depend on what the work does. */
export const ofLeadership: ReadonlyArray<Checker> = [
  beliefs.checker,
  growth.checker,
  replay.checker,
  registered.checker,
  liveness.checker,
  handover.checker,
  reasons.checker,
  able.checker,
  replaced.checker
]

/** Holds a history against all promises, in the order of time. */
export const check = (history: History, checkers: ReadonlyArray<Checker> = all): Array<Violation> => {
  const analysis = Analysis.analyze(history)
  return checkers.flatMap(({ check }) => check(analysis)).toSorted((a, b) => a.at - b.at)
}
