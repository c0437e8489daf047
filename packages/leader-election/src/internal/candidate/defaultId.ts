/** The id of a candidate that is given none. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const letters = "abcdefghijklmnopqrstuvwxyz"
const length = 8
const count = letters.length ** length

/** What Node tells of itself; a browser tells nothing. */
interface Surroundings {
  readonly process?: {
    readonly pid?: number
    readonly getBuiltinModule?: (name: "os") => { readonly hostname: () => string }
  }
}

/** How many this process has made. */
let made = 0

const spell = (n: number): string =>
  Array.from({ length }, (_, i) => letters[Math.floor(n / letters.length ** i) % letters.length]).join("")

/**
 * Host, process and eight letters, as in `web-1-4711-kfjwqzab`. Containers may share host name and process number, so the letters
 * are random; they go on from there with each id, so that no process takes one twice where `Random` is seeded.
 */
export const defaultId: Effect.Effect<string> = Effect.map(
  Random.nextIntBetween(0, count, { halfOpen: true }),
  (random) => {
    const { process } = globalThis as Surroundings
    const host = process?.getBuiltinModule?.("os").hostname() ?? "host"
    return `${host}-${process?.pid ?? 0}-${spell((random + made++) % count)}`
  }
)
