import type { Database, FdbError, Transaction } from "@effect-fdb/core"
import { ElectionExport, NotInitialized } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { usageError } from "../../Failure.ts"
import { printJson } from "../commands/root.ts"
import * as Parts from "../parts.ts"
import { printable } from "../printable.ts"
import { missing, type SelectedElection, transact } from "../selectedElection.ts"

/** Each of the elections that exist. Fails with that of a missing election if there is none. */
const forEachPart = <A, E>(
  selected: SelectedElection,
  body: (part: Parts.Part) => Effect.Effect<A, E | NotInitialized, Transaction>
) =>
  Effect.gen(function*() {
    const found = yield* Effect.forEach(yield* Parts.all(selected), (part) =>
      transact(body(part)).pipe(
        Effect.map((result) => [{ ...part, result }]),
        Effect.catchIf((error) => error instanceof NotInitialized, () => Effect.succeed([]))
      ), { concurrency: 8 })
    return found.flat().length === 0 ? yield* missing(selected) : found.flat()
  }) as Effect.Effect<
    ReadonlyArray<Parts.Part & { readonly result: A }>,
    Exclude<E, NotInitialized> | FdbError | Effect.Error<ReturnType<typeof Parts.all>> | ReturnType<typeof missing>,
    Database
  >

/** A term as it is given on the command line. */
export const parseTerm = (text: string): Option.Option<bigint> =>
  /^\d{1,19}$/.test(text) ? Option.some(BigInt(text)) : Option.none()

export const raiseTerms = Effect.fnUntraced(function*(selected: SelectedElection, text: string) {
  const above = parseTerm(text)
  if (Option.isNone(above)) return yield* usageError(`${JSON.stringify(text)} is no term: give a whole number`)
  const raised = yield* forEachPart(
    selected,
    ({ election }) => Effect.all({ ballot: election.raiseTerms(above.value), leader: election.getLeaderRaw })
  )
  for (const { result: { ballot, leader }, title } of raised) {
    const goesOn = Option.match(leader, {
      onNone: () => "",
      onSome: ({ leaderId, term }) => `; "${leaderId}" keeps term ${term}`
    })
    const what = title === "election" ? selected.name.text : `${title} of ${selected.name.text}`
    yield* Console.log(printable(`${what}: the next term is ${ballot + 1n} or greater${goesOn}`))
  }
})

const ExportFile = Schema.toCodecJson(Schema.Struct({
  format: Schema.Literal("fdb-election export 1"),
  name: Schema.String,
  exportedAtMillis: Schema.Int,
  /** By title. */
  elections: Schema.Record(Schema.String, ElectionExport)
}))

export const exportElection = Effect.fnUntraced(function*(selected: SelectedElection) {
  const parts = yield* forEachPart(selected, ({ election, title }) =>
    Effect.all({
      leader: election.getLeaderRaw,
      exported: Effect.map(election.export, (exported) =>
        title.startsWith("shard") ? new ElectionExport({ ...exported, history: [] }) : exported)
    }))
  for (const { result: { leader }, title } of parts) {
    if (Option.isNone(leader)) continue
    const what = title === "election" ? selected.name.text : `${title} of ${selected.name.text}`
    yield* Console.error(
      printable(
        `fdb-election: "${leader.value.leaderId}" still leads ${what}: its next ballots are not in this export. Stop all that ` +
          "take part and export again, or raise the terms after the import"
      )
    )
  }
  yield* printJson(
    yield* Effect.orDie(Effect.fromResult(
      Schema.encodeResult(ExportFile)({
        format: "fdb-election export 1",
        name: selected.name.text,
        exportedAtMillis: yield* Clock.currentTimeMillis,
        elections: Object.fromEntries(parts.map(({ result, title }) => [title, result.exported]))
      })
    ))
  )
})

const readFile = (file: string) =>
  Effect.try({
    try: () => fs.readFileSync(file === "-" ? 0 : file, "utf8"),
    catch: (error) => usageError(`${file} cannot be read: ${error instanceof Error ? error.message : error}`)
  })

const parse = (file: string, text: string) =>
  Effect.fromResult(
    Result.mapError(
      Result.flatMap(
        Result.try(() => JSON.parse(text) as unknown),
        (json) => Schema.decodeUnknownResult(ExportFile)(json)
      ),
      () =>
        usageError(
          `${file} is no export that this version can read: give a file that \`fdb-election export\` has written, unchanged`
        )
    )
  )

export const importElection = Effect.fnUntraced(function*(selected: SelectedElection, file: string) {
  const { elections } = yield* parse(file, yield* readFile(file))
  const parts = Object.entries(elections).map(([title, exported]) => ({
    part: Parts.named(selected, title),
    exported,
    title
  }))
  const unknown = parts.find(({ part }) => part === undefined)
  if (unknown !== undefined) {
    return yield* usageError(
      selected.slot === undefined
        ? `${file} has a part "${unknown.title}", which this version does not know: upgrade this command`
        : `${file} is the export of more than a slot: leave out --slot`
    )
  }
  for (const { exported, part, title } of parts) {
    const { isNew, next } = yield* transact(Effect.gen(function*() {
      const { election } = part!
      const isNew = Option.isNone(yield* Effect.option(election.readConfig))
      yield* election.import(exported)
      return { isNew, next: (yield* election.raiseTerms(0n)) + 1n }
    })).pipe(
      Effect.catchTag(
        ["InvalidTerm", "InvalidConfig"],
        ({ message }) => usageError(`${file} is damaged: ${message}; export again`)
      )
    )
    const what = title === "election" ? selected.name.text : `${title} of ${selected.name.text}`
    yield* Console.log(
      `${what} ${
        isNew ? "is set up" : "was set up before, and keeps its configuration"
      }: the next term is ${next} or greater`
    )
  }
})
