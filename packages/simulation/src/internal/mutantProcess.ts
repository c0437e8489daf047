/** A child process in which the library is loaded with mutations; prints, for each seed, which checkers have noticed. */
import { readFileSync } from "node:fs"
import { register } from "node:module"
import { fileURLToPath } from "node:url"
import type { Patch } from "../Mutants.ts"
import type * as Profile from "../Profile.ts"

export interface Task {
  readonly patches: ReadonlyArray<Patch>
  readonly profile: Profile.Name
  readonly seeds: number
  /** Seconds of simulated time. */
  readonly duration?: number
  /** No further seed is run once this checker has noticed so often. */
  readonly until?: { readonly noticedBy: string; readonly times: number }
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
let left = task.until?.times ?? Number.POSITIVE_INFINITY
for (let seed = 0; seed < task.seeds && left > 0; seed++) {
  const { violations } = perform({ profile: task.profile, seed, duration: task.duration })
  const noticed = new Set(violations.map(({ checker }) => checker))
  if (task.until !== undefined && noticed.has(task.until.noticedBy)) left--
  process.stdout.write(`${JSON.stringify([...noticed])}\n`)
}
