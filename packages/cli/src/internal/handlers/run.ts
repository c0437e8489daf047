import { Slots } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { systemRefused, usageError } from "../../Failure.ts"
import { CommandLine, withElection } from "../commands/root.ts"
import type { Options } from "../commands/run.ts"
import { MessageFormat } from "../messages.ts"
import * as Nesting from "../run/nesting.ts"
import { statOf } from "../run/processGroup.ts"
import { resolveCommand } from "../run/resolveCommand.ts"
import * as Wrapper from "../run/wrapper.ts"
import type { SelectedElection } from "../selectedElection.ts"

/** Without `--`, flags of the command would be parsed as flags of `run`: `run ./job.sh -q`. */
const checkSeparated = Effect.fnUntraced(function*(command: ReadonlyArray<string>) {
  const args = yield* CommandLine
  const separator = args.indexOf("--")
  if (separator < 0 || args.length - separator - 1 !== command.length) {
    return yield* usageError(
      "write -- before the command, so that it gets its own flags, as in `fdb-election run -- ./job.sh --all`"
    )
  }
})

const checkPossible = ({ name, store }: SelectedElection) => {
  if (process.platform === "win32") {
    return usageError("run needs process groups, which Windows lacks: use it on Linux or macOS")
  }
  if (process.platform === "linux" && statOf("self") === undefined) {
    return systemRefused("run finds the command's processes in /proc, which is not mounted: mount it")
  }
  const above = Nesting.leaderAbove(process.env[Nesting.variable], store, name.text)
  return above === undefined ? Effect.void : usageError(
    `${name.text} is led by process ${above}, and this process is part of its command: it would wait for its own end. ` +
      "Name another election with --election"
  )
}

const checkFlags = ({ shards, slots, weight }: Options) => {
  if (Option.exists(slots, (count) => count < 1 || count > Slots.maxCount)) {
    return usageError(`--slots is ${Option.getOrNull(slots)}: give an integer from 1 to ${Slots.maxCount}`)
  }
  if (Option.isSome(slots) && Option.isSome(shards)) {
    return usageError("--slots and --shards exclude each other: give one of them")
  }
  return Option.isSome(weight) && Option.isNone(shards)
    ? usageError("--weight is the share in shards: give their number with --shards, or leave it out")
    : Effect.void
}

export const run = (options: Options) =>
  Effect.andThen(
    Effect.andThen(
      Effect.map(MessageFormat, (format) => void (format.current = options.logFormat)),
      checkSeparated(options.command)
    ),
    withElection(
      Effect.fnUntraced(function*(selected) {
        yield* checkPossible(selected)
        if (selected.slot !== undefined) {
          return yield* usageError("run has no --slot: give the number of slots with --slots, and it takes any of them")
        }
        yield* checkFlags(options)
        const file = yield* resolveCommand(options.command[0]!, process.env.PATH)
        yield* Wrapper.run(selected, options, file)
      }),
      { makesStore: true, hears: true }
    )
  )
