/**
 * Real processes with the real binding, on the stand-in for the client library beside this file.
 *
 * That needs a C compiler and a platform that the package has a prebuilt binding for; elsewhere these tests are skipped.
 */
import { Effect } from "effect"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { build } from "vite"

const here = import.meta.dirname
const root = path.resolve(here, "../../../..")
/** Within `node_modules`, so that what the programs import is found from there. */
const output = path.join(root, "node_modules/.cache/effect-fdb-native")
const compiled = path.join(output, "programs")
/** The directory of the stand-in, for the dynamic linker. */
const standIn = path.join(output, "client")
const compiler = process.env["CC"] ?? "cc"

const hasBinding = (): boolean => {
  const directory = path.dirname(createRequire(import.meta.url).resolve("foundationdb/package.json"))
  return fs.existsSync(path.join(directory, "prebuilds", `${process.platform}-${process.arch}`))
}

/** Whether the tests can be run here. */
export const isPossible = process.platform === "linux" && hasBinding() &&
  spawnSync(compiler, ["--version"]).status === 0

/** Whether the real client library is found without being looked for. */
export const isInstalled = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib"]
  .some((directory) => fs.existsSync(path.join(directory, "libfdb_c.so")))

const conditions = ["@effect-fdb/source", "node", "import", "default"]

/** Compiles the stand-in. */
export const compileStandIn = (): void => {
  fs.mkdirSync(standIn, { recursive: true })
  const library = path.join(standIn, "libfdb_c.so")
  const flags = ["-std=gnu11", "-O1", "-shared", "-fPIC", "-pthread"]
  execFileSync(compiler, [...flags, "-o", library, path.join(here, "client/fdb_c.c")])
}

/** Compiles the programs, which Node cannot run as TypeScript. */
export const compilePrograms = async (): Promise<void> => {
  const programs = path.join(here, "programs")
  await build({
    configFile: false,
    logLevel: "error",
    root: path.resolve(here, "../.."),
    resolve: { conditions },
    // Effect too, or each of its many files is found and read anew by every process.
    ssr: { noExternal: true, external: ["foundationdb"], resolve: { conditions } },
    build: {
      ssr: true,
      outDir: compiled,
      emptyOutDir: true,
      rollupOptions: {
        input: fs.readdirSync(programs).map((file) => path.join(programs, file)),
        output: { entryFileNames: "[name].mjs" }
      }
    }
  })
}

/** How a process has ended. */
export interface Ended {
  /** The exit code, or the signal that has ended it. */
  readonly status: number | NodeJS.Signals
  readonly output: string
  readonly errors: string
}

/** How a program is run. */
export interface RunOptions {
  /** With the real client library, on the cluster of `FDB_CLUSTER_FILE`. */
  readonly real?: boolean
  readonly environment?: Readonly<Record<string, string>>
  readonly nodeOptions?: ReadonlyArray<string>
}

/** Runs a program to its end, which has to come by itself: within three minutes. */
export const run = (
  program: string,
  args: ReadonlyArray<string | number>,
  { environment = {}, nodeOptions = [], real = false }: RunOptions = {}
): Effect.Effect<Ended> =>
  Effect.callback<Ended>((resume) => {
    const child = spawn(
      process.execPath,
      [...nodeOptions, path.join(compiled, `${program}.mjs`), ...args.map(String)],
      {
        env: { ...process.env, ...(real ? {} : { LD_LIBRARY_PATH: standIn }), ...environment },
        stdio: ["ignore", "pipe", "pipe"]
      }
    )
    let written = ""
    let errors = ""
    child.stdout.on("data", (chunk) => (written += chunk))
    child.stderr.on("data", (chunk) => (errors += chunk))
    child.once("close", (code, signal) => resume(Effect.succeed({ status: code ?? signal!, output: written, errors })))
    return Effect.sync(() => void child.kill("SIGKILL"))
  }).pipe(Effect.timeoutOrElse({
    duration: "3 minutes",
    orElse: () => Effect.die(`${program} ${args} hangs`)
  }))
