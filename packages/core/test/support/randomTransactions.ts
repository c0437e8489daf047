/** Random transactions of the shape of the recorded ones, to hold one engine against another. */
import type { Operation, Unanswered } from "./recorded.ts"

/** Numbers from zero up to one, the same ones for the same seed. */
const numbersFrom = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const atomicTypes = [
  "ADD",
  "BIT_AND",
  "BIT_OR",
  "BIT_XOR",
  "APPEND_IF_FITS",
  "MAX",
  "MIN",
  "BYTE_MAX",
  "BYTE_MIN"
] as const

/** The transaction of a seed. */
export const randomTransaction = (seed: number): Unanswered => {
  const next = numbersFrom(seed)
  const below = (count: number): number => Math.floor(next() * count)
  const oneOf = <A>(...choices: ReadonlyArray<A>): A => choices[below(choices.length)]!
  const chance = (share: number): boolean => next() < share
  const several = <A>(count: number, make: () => A): Array<A> => Array.from({ length: count }, make)
  const letter = (): string => oneOf("61", "62", "63", "64", "65")
  const key = (): string => chance(0.6) ? letter() : chance(0.8) ? letter() + letter() : `${letter()}00`
  const border = (): string => chance(0.08) ? oneOf("", "ff") : key()
  const value = (): string => several(below(5), () => oneOf("00", "01", "02", "7f", "80", "ff")).join("")
  const selector = () => ({
    key: border(),
    orEqual: chance(0.5),
    offset: chance(0.8) ? below(6) - 2 : below(30) - 15
  })
  const plain = () => ({ key: border(), orEqual: false, offset: 1 })
  const ordered = () => {
    const [begin, end] = [border(), border()].toSorted((a, b) => a < b ? -1 : 1)
    return { begin: begin!, end: end! }
  }
  const hasStamps = chance(0.4)
  /** What an atomic operation makes of a versionstamp depends on the version, and each engine has its own. */
  const stamped = new Set<string>()
  const operation = (): Operation => {
    const snapshot = chance(0.2)
    switch (below(hasStamps ? 26 : 22)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return { op: "get", key: key(), snapshot }
      case 4:
      case 5:
      case 6:
        return { op: "getKey", selector: selector(), snapshot }
      case 7:
      case 8:
      case 9:
        return { op: "set", key: key(), value: value() }
      case 10:
      case 11:
      case 12: {
        const name = key()
        return stamped.has(name)
          ? { op: "set", key: name, value: value() }
          : { op: "atomic", type: oneOf(...atomicTypes), key: name, value: value() }
      }
      case 13:
        return { op: "clear", key: key() }
      case 14:
        return { op: "clearRange", ...ordered() }
      case 15:
        return chance(0.5)
          ? { op: "conflictRange", kind: oneOf("read", "write"), ...ordered() }
          : { op: "conflictKey", kind: oneOf("read", "write"), key: key() }
      case 22:
      case 23: {
        const name = key()
        stamped.add(name)
        return { op: "svv", key: name, before: value(), after: value() }
      }
      case 24:
      case 25:
        return { op: "svk", before: key(), after: value(), fill: oneOf("00", "61", "ff"), value: value() }
      default: {
        const isPlain = chance(0.4)
        return {
          op: "getRange",
          begin: isPlain ? plain() : selector(),
          end: isPlain ? plain() : selector(),
          limit: chance(0.5) ? 0 : 1 + below(6),
          reverse: chance(0.5),
          snapshot
        }
      }
    }
  }
  const preload = new Map(several(below(14), () => [key(), value()] as const))
  return {
    seed,
    preload: [...preload],
    ops: several(1 + below(16), operation),
    other: several(below(3), () =>
      chance(0.7)
        ? { set: key(), value: value() }
        : { clear: Object.values(ordered()) as [string, string] }),
    marker: chance(0.7)
  }
}
