// What a user gets: packs every package, and uses the tarballs in a fresh project outside of the repository. Each tarball passes publint
// and attw; core and leader-election bring few packages, and no package needs another Node than it says; every module and every program
// of the documentation type checks; every module runs on import; the README's programs run as bundles of esbuild; `npx` runs the command
// in an empty directory; what `npm run package` makes runs alone.
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
import { killAll, programsOf, readme, runs } from "./readme.mjs"

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
  promisify(execFile)(command, args, { cwd: project, timeout: 300_000 }).catch((error) => {
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
    "--engine-strict",
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

const pages = [
  "README.md",
  ...readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`),
  ...names.map((name) => `packages/${name}/README.md`)
]

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

  await step("packs", () => run(process.execPath, [join(root, "scripts/tarballs.mjs"), tarballs], root))

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

  await step("the README's first program runs, and as one file", async () => {
    const [first] = readme
    writeFileSync(join(project, "first.mjs"), first.code)
    await runs([process.execPath, "first.mjs"], project, first)
    run(bin("esbuild"), ["first.mjs", "--bundle", "--format=esm", "--platform=node", "--outfile=bundled/first.mjs"])
    // Away from the installed packages.
    mkdirSync(join(home, "alone"))
    writeFileSync(join(home, "alone/first.mjs"), readFileSync(join(project, "bundled/first.mjs")))
    await runs([process.execPath, "first.mjs"], join(home, "alone"), first)
  })

  await step("every package is installed, with engine-strict", () => install(...names.map(tarball)))

  await step(
    "the README's other programs run, as one file each beside LMDB",
    () =>
      Promise.all(
        readme.slice(1).map(async (program) => {
          const { caller, code, name } = program
          writeFileSync(join(project, `${name}.ts`), code)
          if (caller !== undefined) writeFileSync(join(project, `call.${name}.mjs`), caller)
          await runAside(bin("esbuild"), [
            caller === undefined ? `${name}.ts` : `call.${name}.mjs`,
            "--bundle",
            "--format=esm",
            "--platform=node",
            "--external:lmdb",
            `--outfile=bundled/${name}.mjs`
          ])
          await runs([process.execPath, `bundled/${name}.mjs`], project, program)
        })
      )
  )

  await step("every module and every program of the documentation type checks, by nodenext and by bundler", () => {
    const programs = pages.flatMap((page) =>
      programsOf(page).filter((code) => !code.includes("@effect/vitest")).map((code, i) => {
        const file = `${page.replaceAll(/\W/g, "-")}-${i}.ts`
        writeFileSync(join(project, file), code)
        return { file, needsNode: /\bprocess\.|\/platform-node/.test(code) }
      })
    )
    const files = (needed) => programs.filter(({ needsNode }) => needsNode === needed).map(({ file }) => file)
    writeFileSync(join(project, "strict.ts"), importing(names))
    const strict = { types: [], skipLibCheck: false }
    const withNode = { types: ["node"], skipLibCheck: false }
    typeChecks("nodenext", "nodenext", ["strict.ts", ...files(false)], strict)
    typeChecks("bundler", "esnext", ["strict.ts", ...files(false)], strict)
    typeChecks("nodenext", "nodenext", files(true), withNode)
    typeChecks("bundler", "esnext", files(true), withNode)
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

  await step("npx runs the command in an empty directory", () => {
    const empty = join(home, "empty")
    mkdirSync(empty)
    // What npx installs stays in npm's cache: in one of its own, over what is cached already.
    const cache = join(home, "npm")
    mkdirSync(cache)
    symlinkSync(join(run("npm", ["config", "get", "cache"]).trim(), "_cacache"), join(cache, "_cacache"))
    const packages = names.flatMap((name) => ["-p", tarball(name)])
    const command = ["--prefer-offline", ...packages, "fdb-election", "run", "--quiet", "--path", "store", "--"]
    const printed = run("npx", ["--yes", ...command, "/bin/sh", "-c", "echo $FDB_ELECTION_TERM"], empty, {
      ...process.env,
      npm_config_cache: cache
    })
    if (printed !== "1\n") throw new Error(`the first term is 1, not ${printed}`)
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
  killAll()
  if (process.argv.includes("--keep")) console.log(home)
  else rmSync(home, { recursive: true, force: true })
}
