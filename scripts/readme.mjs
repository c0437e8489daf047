// The programs of the README: how each is called, what it prints, and running it in processes of its own.
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The programs that a page shows. */
export const programsOf = (page) =>
  [...readFileSync(root + page, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code)

/** The imports of a caller. */
const onMemory = `import { LeaderElection } from "@effect-fdb/leader-election"
import { MemoryDatabase, Subspace } from "@effect-fdb/core"
import { Console, Effect } from "effect"
const runs = (effect) => Effect.runPromise(Effect.provide(effect, MemoryDatabase.layer))
`
const expected = [
  { name: "first", prints: /leads in term [124]$/gm, times: 3 },
  { name: "second", prints: /^\d+ leads in term \d+$/m, processes: 2 },
  { name: "service", prints: /^sends the outbox$/m, processes: 2 },
  {
    name: "slots",
    caller: `${onMemory}import { program } from "./slots.ts"\nawait runs(program)\n`,
    prints: /^imports in slot [012], term \d+$/m
  },
  {
    name: "shards",
    caller: `${onMemory}import { consumer } from "./shards.ts"\nawait runs(consumer)\n`,
    prints: /^consumes queue \d+ in term \d+$/gm,
    times: 256
  },
  {
    name: "fencing",
    caller: `${onMemory}import { finish, headers } from "./fencing.ts"
const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
await runs(election.withLeadership({}, (leadership) =>
  Effect.andThen(finish(leadership, "job"), Console.log(JSON.stringify(headers(leadership))))))
`,
    prints: /^\{"fencing-token":"1"\}$/m
  }
]

const shown = programsOf("README.md")
if (shown.length !== expected.length) throw new Error("the README has other programs than scripts/readme.mjs")

/** The programs in order, with what calls each that does not run by itself. */
export const readme = expected.map((program, i) => ({ ...program, code: shown[i] }))

const running = new Set()

/** A program in a process of its own, and when it has printed something. */
const start = ([command, ...args], cwd, { prints, times = 1 }) => {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] })
  running.add(child)
  const state = { child, printed: "" }
  state.ended = new Promise((resolve) => child.once("exit", resolve))
  state.works = new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${[command, ...args].join(" ")} ${why}, and has printed\n${state.printed}`))
    const timer = setTimeout(() => fail("has not printed what the README says"), 120_000)
    const take = (chunk) => {
      state.printed += chunk
      if ((state.printed.match(prints)?.length ?? 0) >= times) resolve(state)
    }
    child.stdout.on("data", take)
    child.stderr.on("data", take)
    child.once("close", () => {
      running.delete(child)
      clearTimeout(timer)
      fail("has ended")
    })
  })
  state.works.catch(() => {})
  return state
}

/** Runs a program of the README, in two processes if it shares a store: when the first that works has ended, the other works. */
export const runs = async (command, cwd, program) => {
  const all = Array.from({ length: program.processes ?? 1 }, () => start(command, cwd, program))
  const working = await Promise.race(all.map(({ works }) => works))
  const waiting = all.filter((one) => one !== working)
  working.child.kill("SIGTERM")
  await working.ended
  await Promise.all(waiting.map(({ works }) => works))
  for (const { child, ended } of waiting) {
    child.kill("SIGTERM")
    await ended
  }
}

/** Ends what a check that failed has left. */
export const killAll = () => {
  for (const child of running) child.kill("SIGKILL")
}
