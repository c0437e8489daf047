// Runs the suite on the other versions of Node that the packages support, each from npm's package `node`, and the README's programs on
// Bun and Deno, from npm's packages of these names, in a project that has the tarballs. Arguments go to vitest: `npm run test:runtimes --
// packages/core`. `RUNTIMES="26 deno"` chooses among them.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { killAll, readme, runs } from "./readme.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const home = mkdtempSync(join(tmpdir(), "effect-fdb-runtimes-"))
const options = process.argv.slice(2)
const chosen = process.env.RUNTIMES?.split(" ") ?? ["22", "24", "26", "bun", "deno"]
const failed = []

const run = (command, args, cwd, env = process.env) => {
  if (spawnSync(command, args, { cwd, env, stdio: "inherit" }).status !== 0) throw new Error(`${command} has failed`)
}
const check = async (name, body) => {
  try {
    await body()
    console.log(`passed: ${name}`)
  } catch (error) {
    console.log(`FAILED: ${name}: ${error.message}`)
    failed.push(name)
  }
}
/** A project with packages. Their scripts run: those of a runtime fetch or link its binary. */
const projectWith = (name, ...packages) => {
  const directory = join(home, name)
  mkdirSync(directory)
  writeFileSync(join(directory, "package.json"), "{}")
  const quiet = ["--no-fund", "--no-audit", "--loglevel=error"]
  run("npm", ["install", "--ignore-scripts=false", ...quiet, ...packages], directory)
  return directory
}

try {
  for (const version of ["22", "24", "26"].filter((version) => chosen.includes(version))) {
    await check(`the suite on Node ${version}`, () => {
      const bin = join(projectWith(`node-${version}`, `node@${version}`), "node_modules/.bin")
      const suite = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--config", "vitest.workspace.ts", ...options]
      // What a test starts as `node` is this one, too.
      run(join(bin, "node"), suite, root, { ...process.env, PATH: `${bin}:${process.env.PATH}` })
    })
  }
  const others = [["bun"], ["deno", "run", "--allow-all"]].filter(([name]) => chosen.includes(name))
  if (others.length > 0) {
    const tarballs = join(home, "tarballs")
    run(process.execPath, [join(root, "scripts/tarballs.mjs"), tarballs], root)
    const project = projectWith("project", "effect", ...readdirSync(tarballs).map((file) => join(tarballs, file)))
    for (const { caller, code, name } of readme) {
      writeFileSync(join(project, `${name}.ts`), code)
      writeFileSync(join(project, `call.${name}.ts`), caller ?? `import "./${name}.ts"\n`)
    }
    for (const [name, ...args] of others) {
      await check(`the README's programs on ${name}`, async () => {
        const runtime = join(projectWith(name, name), "node_modules/.bin", name)
        for (const program of readme) {
          await runs([runtime, ...args, `call.${program.name}.ts`], project, program)
          console.log(`  ${program.name}`)
        }
      })
    }
  }
} finally {
  killAll()
  rmSync(home, { recursive: true, force: true })
}
if (failed.length > 0) console.error(`failed: ${failed.join(", ")}`)
process.exitCode = failed.length > 0 ? 1 : 0
