/** The command `fdb-election simulate`. What it does is loaded when it runs. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Handlers from "./internal/handlers.ts"
import { plural } from "./internal/plural.ts"
import { names } from "./internal/profileNames.ts"

/** A guarantee was violated. The command has printed which. */
export class PromiseBroken extends Data.TaggedError("PromiseBroken")<{ readonly violations: number }> {
  override get message(): string {
    return `${plural(this.violations, "violation")} found`
  }
}

/** The command line is wrong. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

const loaded = <A, E, R>(use: (handlers: typeof Handlers) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.promise(() => import("./internal/handlers.ts")), use)

const count = (name: string, byDefault: number, description: string) =>
  Flag.Int(name).pipe(Flag.withDefault(byDefault), Flag.withDescription(`${description}; ${byDefault} by default`))

const optional = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.optional, Flag.withDescription(description))

const flags = {
  seeds: count("seeds", 50, "The number of histories; the profiles take turns"),
  from: count("from", 0, "The first seed"),
  processes: count("processes", 5, "The number of processes"),
  duration: Flag.String("duration").pipe(
    Flag.withMetavar("DURATION"),
    Flag.withDefault("10m"),
    Flag.withDescription("The simulated duration of each history, such as 90s, 1m30s or 2h; 10m by default")
  ),
  profile: optional("profile", `Only this kind of history: ${names.join(", ")}`),
  threads: count("threads", 1, "The number of threads"),
  report: Flag.File("report").pipe(
    Flag.optional,
    Flag.withDescription(
      "Write a page of the first history that violated a guarantee, or else of the one with most tenures"
    )
  ),
  json: Flag.Boolean("json").pipe(Flag.withDefault(false), Flag.withDescription("End with one line of JSON"))
}

/** The flags of `simulate`. */
export type Flags = Command.Command.Config.Infer<typeof flags>

const mutationsFlags = {
  only: optional("only", "Only the mutant of this name"),
  seeds: Flag.Int("seeds").pipe(Flag.optional, Flag.withDescription("The number of seeds; 100 by default")),
  threads: Flag.Int("threads").pipe(
    Flag.optional,
    Flag.withDescription("The number of mutants at a time; by default as many as there are cores")
  )
}

/** The flags of `simulate mutations`. */
export type MutationsFlags = Command.Command.Config.Infer<typeof mutationsFlags>

const mutations = Command.make(
  "mutations",
  mutationsFlags,
  (flags) => loaded(({ mutations }) => mutations(flags))
).pipe(
  Command.withDescription("Test the checkers: run each mutant of the protocol, and show what notices it")
)

export const command = Command.make("simulate", flags, (flags) => loaded(({ simulate }) => simulate(flags))).pipe(
  Command.withDescription("Simulate clusters with faults, and check the guarantees of the election"),
  Command.withSubcommands([mutations])
)
