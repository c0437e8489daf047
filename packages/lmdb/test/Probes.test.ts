/** The engine on LMDB, asked what a FoundationDB server was asked. */
import { Effect, Layer } from "effect"
import { probes } from "../../core/test/support/probes.ts"
import { LmdbDatabase } from "../src/index.ts"
import { temporaryDirectory } from "./support/processes.ts"

const shortKeys = "its keys end at 1,976 bytes"
const wallClock =
  "its versions come from the wall clock: the probe's is long past, and the conformance suite asks for a later one"

const counted = "core counts the size, the same for all engines: what fits by little and what does not are enough"

probes(
  "LmdbDatabase",
  Layer.unwrap(Effect.map(temporaryDirectory, (path) => LmdbDatabase.layer({ path, durability: "process" }))),
  {
    "set key 10000": shortKeys,
    "svk 9996": shortKeys,
    ...Object.fromEntries([60_000, 150_000, 200_000, 250_000].map((sets) => [`${sets} sets of 10+10 bytes`, counted])),
    "setReadVersion future: getReadVersion": wallClock,
    "setReadVersion future: blind write": wallClock,
    "setReadVersion future: write and read conflict": wallClock
  },
  1976
)
