/**
 * A process that runs conflicting transactions until it is told to stop or killed:
 * `node hostile.mjs DIRECTORY ACKS NAME DURABILITY [reopening | large]`. With `large`, all of its commits are dealt with as large
 * ones, and reserve their turn when they are overtaken.
 *
 * Each transaction writes into the database, under its own versionstamp, what it has read and what it writes. So what
 * was committed can be replayed in commit order, whoever was killed when. Acknowledged commits are appended to the file
 * ACKS, by a system call that outlives the process. It says "opening" and then "ready" with each opening of the database,
 * and opens it again and again if it is to.
 */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as fs from "node:fs"
import { Limits } from "../../dist/internal/limits.js"

const [directory, acks, name, durability, manner] = process.argv.slice(2)
const limits = { keys: 0, bytes: 0, chunkBytes: 50, sliceMillis: 0, triesBeforeReservation: 3 }
const layer = LmdbDatabase.layer({ path: directory, durability }).pipe(
  manner === "large" ? Layer.provide(Layer.succeed(Limits, limits)) : (same) => same
)
const acknowledged = fs.openSync(acks, "a")
const accounts = 6
const control = { stopping: false }
process.on("message", () => {
  control.stopping = true
})
process.on("disconnect", () => process.exit(1))

const key = (text) => Bytes.fromString(text)
const toText = (bytes) => bytes === undefined ? null : Buffer.from(bytes).toString()

/** A transaction that keeps account of itself. */
const recorded = (kind, body, options = {}) =>
  Effect.gen(function*() {
    const stamp = yield* Database.transact(
      Effect.gen(function*() {
        const tx = yield* Transaction
        const reads = {}
        const writes = {}
        const read = (text) => Effect.map(tx.get(key(text)), (value) => reads[text] = toText(value))
        const write = (text, value) => {
          writes[text] = String(value)
          return tx.set(key(text), key(String(value)))
        }
        yield* body({ read, reads, tx, write })
        const record = key(JSON.stringify({ name, kind, reads, writes }))
        const prefix = key("log/")
        yield* tx.setVersionstampedKey(
          { bytes: Bytes.concat(prefix, new Uint8Array(10)), offset: prefix.length },
          record
        )
        return yield* tx.versionstamp
      }),
      options
    ).pipe(Effect.flatMap((stamp) => stamp))
    fs.writeSync(acknowledged, `${Bytes.toHex(stamp)}\n`)
    return stamp
  })

const increment = recorded(
  "increment",
  ({ read, write }) => Effect.flatMap(read("counter"), (value) => write("counter", Number(value) + 1))
)

const transfer = recorded("transfer", ({ read, write }) =>
  Effect.gen(function*() {
    const from = yield* Random.nextIntBetween(0, accounts - 1)
    const to = yield* Random.nextIntBetween(0, accounts - 1)
    const amount = yield* Random.nextIntBetween(1, 10)
    if (from === to) return
    const balance = Number(yield* read(`bank/${from}`))
    // Now and then, others get time to interfere.
    if (amount === 1) yield* Effect.sleep("2 millis")
    const other = Number(yield* read(`bank/${to}`))
    yield* write(`bank/${from}`, balance - amount)
    yield* write(`bank/${to}`, other + amount)
  }))

/** Every transaction has to see the same total, whatever is going on. */
const audit = recorded("audit", ({ reads, tx, write }) =>
  Effect.gen(function*() {
    let total = 0
    for (const { key: account, value } of yield* tx.getRange({ begin: key("bank/"), end: key("bank0") })) {
      reads[toText(account)] = toText(value)
      total += Number(toText(value))
    }
    if (total !== 600) yield* Effect.die(`the total is ${total}`)
    yield* write(`audit/${name}`, total)
  }))

/** As a lease is renewed: nothing is read; the read version is that of the last commit. */
const renewals = Effect.gen(function*() {
  const lease = `lease/${name}`
  let known = yield* Database.transact(Effect.gen(function*() {
    const tx = yield* Transaction
    const value = toText(yield* tx.get(key(lease)))
    return [value, yield* tx.readVersion]
  }))
  for (let i = 0; i < 5; i++) {
    const [value, version] = known
    const next = String(Number(value) + 1)
    const stamp = yield* recorded("renewal", ({ reads, tx, write }) =>
      Effect.gen(function*() {
        yield* tx.setReadVersion(version)
        yield* tx.addReadConflictKey(key(lease))
        reads[lease] = value
        yield* write(lease, next)
      }), { retryLimit: 0 })
    known = [next, new DataView(stamp.buffer, stamp.byteOffset).getBigUint64(0)]
  }
}).pipe(Effect.catchTag("FdbError", (error) => error.code === 1020 ? Effect.void : Effect.fail(error)))

const step = Effect.flatMap(
  Random.nextIntBetween(0, 9),
  (n) => n < 4 ? increment : n < 8 ? transfer : n < 9 ? audit : renewals
)

/** Works for as long as `goesOn` says so. */
const work = (goesOn) =>
  Effect.gen(function*() {
    yield* increment
    process.send?.("ready")
    while (!control.stopping && goesOn()) {
      // Several at a time, so that commits of one process are written together too.
      yield* Effect.all([step, step], { concurrency: 2, discard: true })
    }
  }).pipe(Effect.provide(layer, { local: true }))

const program = Effect.gen(function*() {
  do {
    process.send?.("opening")
    let steps = yield* Random.nextIntBetween(0, 5)
    yield* work(() => manner !== "reopening" || steps-- > 0)
  } while (!control.stopping)
})

await Effect.runPromise(program)
process.exit(0)
