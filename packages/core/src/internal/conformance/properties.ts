/** Random programs, held against the model. A failure prints the smallest program that was found and its replay. */
import { body, initial, program, runProgram } from "./programs.ts"
import type { Tests } from "./tests.ts"

const timeout = 120_000

export const properties: Tests = (_, { runs, seed, selectorsCountCleared }, it) => {
  // Without a size programs are too short for conflicts.
  const options = { timeout, arbitrary: { runs, seed, size: 60 } }

  it.effect.prop(
    "one transaction reads the database with its own writes over it, and commits just these",
    { start: initial, turns: body(30) },
    ({ start, turns }) => runProgram(start, turns, selectorsCountCleared),
    options
  )

  it.effect.prop(
    "two interleaved transactions are serializable in commit order, and none is refused without a cause",
    { start: initial, turns: program(2, 30) },
    ({ start, turns }) => runProgram(start, turns, selectorsCountCleared),
    options
  )

  it.effect.prop(
    "many interleaved transactions are serializable in commit order, and none is refused without a cause",
    { start: initial, turns: program(4, 60) },
    ({ start, turns }) => runProgram(start, turns, selectorsCountCleared),
    options
  )
}
