/** Random programs, compared with the model. A failure prints the smallest failing program and how to replay it. */
import type { Tests } from "./harness.ts"
import { body, initial, program, runProgram } from "./programs.ts"

const programs = [
  ["one transaction reads the database with its own writes over it, and commits exactly these writes", body(30)],
  ["two interleaved transactions are serializable in commit order, and fail only with a conflict", program(2, 30)],
  ["many interleaved transactions are serializable in commit order, and fail only with a conflict", program(4, 60)]
] as const

export const properties: Tests = (_, { runs, seed, selectorsCountCleared }, it) => {
  for (const [name, turns] of programs) {
    it.effect.prop(
      name,
      { start: initial, turns },
      ({ start, turns }) => runProgram(start, turns, selectorsCountCleared),
      // Smaller programs have hardly any conflicts.
      { timeout: 120_000, arbitrary: { runs, seed, size: 60 } }
    )
  }
}
