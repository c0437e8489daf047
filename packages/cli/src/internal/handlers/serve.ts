import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ElectionName from "../../ElectionName.ts"
import { usageError } from "../../Failure.ts"
import { withElection } from "../commands/root.ts"
import { type Address, listen } from "../http.ts"
import type { SelectedElection } from "../selectedElection.ts"

/** The elections that the arguments name, or the one of `--election`. */
const electionsOf = Effect.fnUntraced(function*(selected: SelectedElection, names: ReadonlyArray<string>) {
  const [first = selected.name, ...rest] = yield* Effect.forEach([...new Set(names)], (text) => {
    const name = ElectionName.parse(text)
    return Result.isSuccess(name)
      ? Effect.succeed(name.success)
      : usageError(`the election's name ${JSON.stringify(text)} ${name.failure}`)
  })
  const toServed = ({ subspace, text }: ElectionName.ElectionName) => ({ name: text, subspace })
  return [toServed(first), ...rest.map(toServed)] as const
})

export interface Options {
  readonly http: Address
  readonly elections: ReadonlyArray<string>
}

export const serve = ({ elections, http }: Options) =>
  withElection(
    Effect.fnUntraced(function*(selected) {
      if (selected.slot !== undefined) return yield* usageError("serve has no --slot: it shows all slots")
      const url = yield* listen(http, yield* electionsOf(selected, elections))
      yield* Console.error(`fdb-election: serves ${url}`)
      return yield* Effect.never
    }, Effect.scoped),
    { makesStore: true }
  )
