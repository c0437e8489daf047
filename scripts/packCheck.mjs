// What a user gets: packs every package, and uses the tarballs in a fresh project outside of the repository. Each tarball passes
// publint and attw; core and leader-election bring few packages; every module type checks, and runs on import; the first program of
// the README runs, also as one file made by esbuild; the command starts, and opens a store; what `npm run
// package` makes runs alone.
import { execFile, spawnSync } from "node:child_process"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = fileURLToPath(new URL("..", import.meta.url))
const home = mkdtempSync(join(tmpdir(), "effect-fdb-pack-"))
const tarballs = join(home, "tarballs")
const project = join(home, "project")
const bin = (name) => join(root, "node_modules/.bin", name)

const run = (command, args, cwd = project, env = process.env) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 300_000 })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(" ")}\n${error ?? ""}${stdout}${stderr}`)
}

/** The same beside other commands. */
const runAside = (command, args) =>
  promisify(execFile)(command, args, { timeout: 300_000 }).catch((error) => {
    throw new Error(`${command} ${args.join(" ")}\n${error.stdout}${error.stderr}`)
  })

const step = async (name, body) => {
  const start = performance.now()
  await body()
  console.log(`${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
}

const manifestOf = (name) => JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"))
const names = readdirSync(join(root, "packages")).filter((name) => !manifestOf(name).private)
const tarball = (name) => join(tarballs, `effect-fdb-${name}-${manifestOf(name).version}.tgz`)
const install = (...what) =>
  run("npm", [
    "install",
    "--prefer-offline",
    "--ignore-scripts",
    "--no-fund",
    "--no-audit",
    "--loglevel=error",
    ...what
  ])

/** The modules of the installed package, as one imports them, but for those whose optional peer is not installed. */
const modulesOf = (name) => {
  const dist = join(project, "node_modules/@effect-fdb", name, "dist")
  const { exports } = manifestOf(name)
  return readdirSync(dist, { recursive: true })
    .filter((file) => file.endsWith(".js") && !file.startsWith("internal/"))
    .filter((file) => !/from "(@effect\/)?vitest"/.test(readFileSync(join(dist, file), "utf8")))
    .map((file) => file.replace(/\.js$/, ""))
    .filter((module) => exports[`./${module}`] !== null)
    .map((module) => module === "index" ? `@effect-fdb/${name}` : `@effect-fdb/${name}/${module}`)
}

const first = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, "README.md"), "utf8"))[1]

const runs = (file) => {
  const printed = run(process.execPath, [file])
  if (printed.match(/leads in term [124]$/gm)?.length !== 3) throw new Error(`${file} printed\n${printed}`)
}

const typeChecks = (moduleResolution, module, files, options) => {
  const config = join(project, `tsconfig.${moduleResolution}.json`)
  const compilerOptions = {
    target: "es2022",
    module,
    moduleResolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    ...options
  }
  writeFileSync(config, JSON.stringify({ compilerOptions, files }))
  run(bin("tsc"), ["-p", config])
}

/** A program that imports every module of some packages. */
const importing = (chosen) =>
  chosen.flatMap(modulesOf).map((module, i) => `import * as module${i} from "${module}"\nvoid module${i}\n`).join("")

try {
  mkdirSync(tarballs)
  mkdirSync(project)
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }))

  await step("packs", () => {
    const chosen = names.flatMap((name) => ["-w", `packages/${name}`])
    run("npm", ["pack", "--ignore-scripts=false", "--pack-destination", tarballs, ...chosen], root)
  })

  await step("publint and attw find nothing", () =>
    Promise.all(names.map(async (name) => {
      await runAside(bin("publint"), ["run", "--strict", tarball(name)])
      await runAside(bin("attw"), [
        "--profile",
        "esm-only",
        "--no-definitely-typed",
        "--format",
        "ascii",
        tarball(name)
      ])
    })))

  await step("core and leader-election are installed, with effect, and bring nothing else", () => {
    const { devDependencies: { effect } } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    install(`effect@${effect}`, tarball("core"), tarball("leader-election"))
    const { packages } = JSON.parse(readFileSync(join(project, "node_modules/.package-lock.json"), "utf8"))
    const installed = Object.keys(packages)
    if (installed.length > 4) throw new Error(`too many: ${installed.join(", ")}`)
  })

  await step("the README's first program runs, and as one file", () => {
    writeFileSync(join(project, "first.ts"), first)
    writeFileSync(join(project, "first.mjs"), first)
    runs("first.mjs")
    run(bin("esbuild"), ["first.ts", "--bundle", "--format=esm", "--platform=node", "--outfile=bundled/first.mjs"])
    // Away from the installed packages.
    rmSync(join(home, "alone"), { recursive: true, force: true })
    mkdirSync(join(home, "alone"))
    writeFileSync(join(home, "alone/first.mjs"), readFileSync(join(project, "bundled/first.mjs")))
    runs(join(home, "alone/first.mjs"))
  })

  await step("every package is installed", () => install(...names.map(tarball)))

  await step("every module type checks, by nodenext and by bundler", () => {
    // The declarations of the command name types of Node.
    const strict = { types: [], skipLibCheck: false }
    writeFileSync(join(project, "strict.ts"), importing(names.filter((name) => name !== "cli")))
    typeChecks("nodenext", "nodenext", ["first.ts", "strict.ts"], strict)
    typeChecks("bundler", "esnext", ["first.ts", "strict.ts"], strict)
    writeFileSync(join(project, "withNode.ts"), importing(["cli"]))
    typeChecks("nodenext", "nodenext", ["withNode.ts"], { types: ["node"], skipLibCheck: false })
  })

  await step("every module can be imported", () => {
    writeFileSync(join(project, "modules.mjs"), importing(names))
    run(process.execPath, ["modules.mjs"])
  })

  await step("the command starts, and opens a store", () => {
    const command = join(project, "node_modules/.bin/fdb-election")
    run(command, ["--version"])
    run(command, ["init", "--path", join(home, "store")])
    const { leader } = JSON.parse(run(command, ["status", "--json", "--path", join(home, "store")]))
    if (leader !== null) throw new Error(`nobody leads, but ${JSON.stringify(leader)}`)
  })

  await step("the package runs where Node is, and nothing is installed", () => {
    const made = run(process.execPath, [join(root, "scripts/package.mjs"), join(home, "made")], root).trim()
    // Elsewhere, with nothing in PATH but Node.
    const moved = join(home, "moved")
    renameSync(made, moved)
    mkdirSync(join(home, "bin"))
    symlinkSync(process.execPath, join(home, "bin/node"))
    const alone = (...args) => run(join(moved, "bin/fdb-election"), args, "/", { PATH: join(home, "bin"), HOME: home })
    alone("--version")
    alone("init")
    const term = alone("run", "--quiet", "--", "/bin/sh", "-c", "echo $FDB_ELECTION_TERM")
    if (term !== "1\n") throw new Error(`the first term is 1, not ${term}`)
    const { leader } = JSON.parse(alone("status", "--json"))
    if (leader !== null) throw new Error(`nobody leads, but ${JSON.stringify(leader)}`)
    alone("simulate", "--seeds", "2", "--duration", "1m", "--report", join(home, "report.html"))
  })
} finally {
  if (process.argv.includes("--keep")) console.log(home)
  else rmSync(home, { recursive: true, force: true })
}
