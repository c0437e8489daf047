/** Runs long work in slices of some milliseconds of real time, so that it does not block the event loop. */

/** Work that yields at least once a millisecond, where it may be paused. */
export type Steps<A> = Generator<void, A>

/** The number of operations of a few microseconds each between two yields. */
export const stepLength = 200

export const nextTurn = () => new Promise<void>((resume) => setImmediate(resume))

export const pause = () => new Promise<void>((resume) => setTimeout(resume, 2))

/** Runs at least one step, and more until the slice is over. Returns the result if the steps have ended. */
export const slice = <A>(steps: Steps<A>, sliceMillis: number): IteratorResult<void, A> => {
  const until = performance.now() + sliceMillis
  let step = steps.next()
  while (step.done !== true && performance.now() < until) step = steps.next()
  return step
}

/** Runs the steps to their end; `undefined` if `goesOn`, called between slices, returns `false`. */
export const inSlices = async <A>(
  steps: Steps<A>,
  sliceMillis: number,
  goesOn: () => boolean
): Promise<A | undefined> => {
  try {
    for (;;) {
      const step = slice(steps, sliceMillis)
      if (step.done === true) return step.value
      await nextTurn()
      if (!goesOn()) return undefined
    }
  } finally {
    // Runs the `finally` blocks of the steps.
    steps.return(undefined as never)
  }
}

/** Merge sort in short steps. */
export function* sorted<A>(items: ReadonlyArray<A>, compare: (a: A, b: A) => number): Steps<ReadonlyArray<A>> {
  yield
  if (items.length <= 1000) return items.toSorted(compare)
  const middle = items.length >> 1
  const a = yield* sorted(items.slice(0, middle), compare)
  const b = yield* sorted(items.slice(middle), compare)
  if (compare(a.at(-1)!, b[0]!) <= 0) return a.concat(b)
  const merged: Array<A> = []
  for (let [i, j] = [0, 0]; merged.length < items.length;) {
    const takeA = j === b.length || (i < a.length && compare(a[i]!, b[j]!) <= 0)
    merged.push(takeA ? a[i++]! : b[j++]!)
    if (merged.length % 2000 === 0) yield
  }
  return merged
}
