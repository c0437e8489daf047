/** Starts `fdb-election witness` beside this process. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { createRequire } from "node:module"
import * as path from "node:path"
import type { ProcessOptions } from "../Witness.ts"
import { WitnessUnavailable } from "../WitnessError.ts"

/** The command of the installed package. May throw. */
const installedCommand = (): readonly [string, string] => {
  const manifest = createRequire(import.meta.url).resolve("@effect-fdb/cli/package.json")
  const { bin } = createRequire(import.meta.url)(manifest) as { readonly bin: { readonly "fdb-election": string } }
  return [process.execPath, path.join(path.dirname(manifest), bin["fdb-election"])]
}

const start = ({ arguments: more = [], command, directory }: ProcessOptions): ChildProcess => {
  const [file, ...args] = command ?? installedCommand()
  const { NODE_OPTIONS: _, ...env } = process.env
  // In its own session, the signals that end this process with its group do not reach it.
  return spawn(file, [...args, "witness", "--directory", path.resolve(directory), "--exit-after-parent", ...more], {
    env,
    detached: true,
    stdio: "ignore"
  })
}

/** The process, until the scope closes. */
export const startProcess = Effect.fnUntraced(
  function*(options: ProcessOptions): Effect.fn.Return<void, WitnessUnavailable, Scope.Scope> {
    const { directory } = options
    const failed = (detail: unknown) =>
      new WitnessUnavailable({ directory, reason: "no-process", detail: String(detail) })
    let isClosing = false
    const child = yield* Effect.acquireRelease(
      Effect.try({ try: () => start(options), catch: failed }),
      (child) =>
        Effect.sync(() => {
          isClosing = true
          child.kill("SIGTERM")
        })
    )
    child.unref()
    yield* Effect.callback<void, WitnessUnavailable>((resume) => {
      child.once("spawn", () => resume(Effect.void))
      child.once("error", (cause) => resume(Effect.fail(failed(cause))))
    })
    const ended = Effect.callback<number | NodeJS.Signals | null>((resume) =>
      void child.once("exit", (code, signal) => resume(Effect.succeed(code ?? signal)))
    )
    yield* ended.pipe(
      Effect.flatMap((code) =>
        isClosing
          ? Effect.void
          : Effect.logWarning(
            `The witness process of ${directory} has ended (${code}): the lease decides about this process. Run ` +
              `\`fdb-election witness --directory ${directory}\` to see why.`
          )
      ),
      Effect.forkScoped({ startImmediately: true })
    )
  }
)
