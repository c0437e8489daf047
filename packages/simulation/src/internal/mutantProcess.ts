/** A child process in which the library is loaded with mutations; prints, for each seed, which checkers have noticed. */
import { readFileSync } from "node:fs"
import { register } from "node:module"
import { fileURLToPath } from "node:url"
import type { Patch } from "../Mutants.ts"
import type * as Profile from "../Profile.ts"

interface Task {
  readonly patches: ReadonlyArray<Patch>
  readonly profile: Profile.Name
  readonly seeds: number
  /** seconds of simulated time. */
  readonly duration?: number
}

const task = JSON.parse(process.argv[2] ?? "") as Task

const patches = task.patches.map(({ file, find, package: name, replace }) => {
  const url = new URL(file, import.meta.resolve(name)).href
  const times = readFileSync(fileURLToPath(url), "utf8").split(find).length - 1
  if (times !== 1) throw new Error(`the text to be changed in ${file} is found ${times} times, not once: ${find}`)
  return { url, find, replace }
})

register("./mutantHooks.js", import.meta.url, { data: patches })

// Only now, so that everything is loaded through the hooks.
const { perform } = await import("./job.ts")
for (let seed = 0; seed < task.seeds; seed++) {
  const { violations } = perform({ profile: task.profile, seed, duration: task.duration })
  process.stdout.write(`${JSON.stringify([...new Set(violations.map(({ checker }) => checker))])}\n`)
}
