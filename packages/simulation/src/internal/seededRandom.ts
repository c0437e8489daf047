/** Random streams of a seed. Each concern has its own: without one fault of a scenario, the others draw the same numbers. */
import type * as Random from "effect/Random"

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))

/** Hashes a text to the first 32 bits of a stream. */
const hash = (text: string, basis: number): number => {
  let state = (basis ^ 0x9e3779b9) >>> 0
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x85ebca6b)
    state = rotate(state, 13)
  }
  state = Math.imul(state ^ (state >>> 16), 0xc2b2ae35)
  return (state ^ (state >>> 13)) >>> 0
}

/** A stream of numbers (`xoshiro128**`). */
export class SeededRandom {
  private a: number
  private b: number
  private c: number
  private d: number

  constructor(seed: number, concern: string) {
    const text = `${seed}/${concern}`
    this.a = hash(text, 1)
    this.b = hash(text, 2)
    this.c = hash(text, 3)
    this.d = hash(text, 4) | 1
  }

  bits(): number {
    const result = Math.imul(rotate(Math.imul(this.b, 5), 7), 9) >>> 0
    const shifted = this.b << 9
    this.c ^= this.a
    this.d ^= this.b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= shifted
    this.d = rotate(this.d, 11)
    return result
  }

  /** From 0, included, to 1, excluded. */
  next(): number {
    return this.bits() / 2 ** 32
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  /** True with a probability. */
  happens(probability: number): boolean {
    return probability > 0 && this.next() < probability
  }

  /** The first of some values that happens, each with its probability. */
  first<A>(values: ReadonlyArray<readonly [probability: number, value: A]>): A | undefined {
    return values.find(([probability]) => this.happens(probability))?.[1]
  }

  pick<A>(items: ReadonlyArray<A>): A {
    return items[Math.floor(this.next() * items.length)]!
  }

  /** A number of the exponential distribution with this mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  /** The items in another order. */
  shuffled<A>(items: ReadonlyArray<A>): Array<A> {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.between(0, i)
      const item = shuffled[i]!
      shuffled[i] = shuffled[j]!
      shuffled[j] = item
    }
    return shuffled
  }

  /** As the random numbers of an Effect. */
  toRandom(): typeof Random.Random.Service {
    return {
      nextDoubleUnsafe: () => this.next(),
      nextIntUnsafe: () => this.between(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    }
  }
}
