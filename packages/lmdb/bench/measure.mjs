/**
 * Measures the LMDB engine with real processes: `npm run build && node packages/lmdb/bench/measure.mjs [disk|process]`.
 *
 * Started with a role, it is one of the processes that it starts itself.
 */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { fork } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const [durability = "disk", role, directory, count] = process.argv.slice(2)
const key = (text) => Bytes.fromString(text)
const now = () => Number(process.hrtime.bigint()) / 1e6
const stamp = () => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, now())
  return bytes
}

/** Reads a counter that all share, and writes it. */
const increment = Database.transact(
  Effect.gen(function*() {
    const tx = yield* Transaction
    const value = yield* tx.get(key("counter"))
    const next = new Uint8Array(8)
    new DataView(next.buffer).setBigUint64(
      0,
      value === undefined ? 1n : new DataView(value.buffer, value.byteOffset).getBigUint64(0) + 1n
    )
    yield* tx.set(key("counter"), next)
  }),
  { timeout: "1 minute" }
)

/** Writes a key of this process's own, as a lease is renewed: no read, the read version of the last commit. */
const renew = (version) =>
  Database.transact(Effect.gen(function*() {
    const tx = yield* Transaction
    if (version !== undefined) yield* tx.setReadVersion(version)
    yield* tx.addReadConflictKey(key(`lease/${process.pid}`))
    yield* tx.set(key(`lease/${process.pid}`), stamp())
    return yield* tx.committedVersion
  })).pipe(Effect.flatMap((version) => version))

const timed = (effect) =>
  Effect.gen(function*() {
    const times = []
    for (let i = 0; i < Number(count); i++) {
      const start = now()
      yield* effect
      times.push(now() - start)
    }
    return times
  })

const roles = {
  increment: timed(increment),
  renew: Effect.suspend(() => {
    let version
    return timed(Effect.suspend(() => Effect.map(renew(version), (committed) => version = committed)))
  }),
  /** Says how long after the commit it was woken, by the clock that all processes of a host share. */
  listen: Effect.gen(function*() {
    const times = []
    let seen = undefined
    while (times.length < Number(count)) {
      const [fired, value] = yield* Database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        return [yield* tx.watch(key("bell")), yield* tx.get(key("bell"))]
      }))
      if (value === undefined) process.send("listening")
      else if (seen === undefined || Bytes.compare(seen, value) !== 0) {
        seen = value
        times.push(now() - new DataView(value.buffer, value.byteOffset).getFloat64(0))
        process.send("woken")
      }
      if (times.length < Number(count)) yield* fired
    }
    return times
  }).pipe(Effect.scoped),
  cpu: Effect.gen(function*() {
    const fired = yield* Database.transact(Transaction.use((tx) => tx.watch(key("never"))))
    // Until the garbage of starting is collected, which is not what idling costs.
    yield* Effect.sleep("15 seconds")
    const before = process.cpuUsage()
    yield* Effect.timeoutOption(fired, Number(count))
    const { system, user } = process.cpuUsage(before)
    return [(system + user) / 1000 / Number(count) * 100]
  }).pipe(Effect.scoped)
}

const quantile = (times, q) => times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * q))]

const start = (role, directory, count, onMessage = () => {}) =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [durability, role, directory, String(count)])
    let times = []
    child.on("message", (message) => Array.isArray(message) ? times = message : onMessage(message, child))
    child.on("exit", (code) => code === 0 ? resolve(times) : reject(new Error(`${role} ended with ${code}`)))
  })

const report = (what, times) => {
  const [p50, p95, max] = [0.5, 0.95, 1].map((q) => `${quantile(times, q).toFixed(2)} ms`)
  console.log(`${what.padEnd(58)} p50 ${p50}, p95 ${p95}, max ${max} (${times.length})`)
}

const main = async () => {
  console.log(`durability ${durability}, node ${process.version}, ${os.cpus().length} cores`)
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-lmdb-"))
  try {
    report("commit: one process, read and write", (await start("increment", directory, 2000)).slice(200))
    report("commit: one process, renewal without a read", (await start("renew", directory, 2000)).slice(200))
    const four = (role) => Promise.all([1, 2, 3, 4].map(() => start(role, directory, 1000)))
    report("commit: four processes on one counter, retries included", (await four("increment")).flat())
    report("commit: four processes on keys of their own", (await four("renew")).flat())
    const runtime = ManagedRuntime.make(LmdbDatabase.layer({ path: directory, durability }))
    const ring = () => runtime.runPromise(Database.transact(Transaction.use((tx) => tx.set(key("bell"), stamp()))))
    const delays = await start("listen", directory, 500, () => setTimeout(ring, 5 + Math.random() * 20))
    report("wake-up: from before the commit to the other's next read", delays.slice(10))
    const [idle] = await start("cpu", directory, 10_000)
    console.log(`idle with a watch, nothing committed: ${idle.toFixed(3)} % of a core`)
    const beat = setInterval(ring, 100)
    const [busy] = await start("cpu", directory, 10_000)
    clearInterval(beat)
    console.log(`idle with a watch, ten commits a second by others: ${busy.toFixed(3)} % of a core`)
    await runtime.dispose()
  } finally {
    fs.rmSync(directory, { recursive: true })
  }
}

if (role === undefined) await main()
else {
  const times = await Effect.runPromise(
    Effect.provide(roles[role], LmdbDatabase.layer({ path: directory, durability }))
  )
  process.send(times, () => process.exit(0))
}
