/** Long work in slices of some milliseconds, in real time, beside everything else that the event loop has to do. */

/** What it yields means that it may be interrupted; it does so every millisecond or more often. */
export type Steps<A> = Generator<void, A>

/** How much of what takes a microsecond or a few is done between two steps. */
export const stepLength = 200

/** Lets the event loop do what else there is. */
export const nextTurn = () => new Promise<void>((resume) => setImmediate(resume))

/** Where there is nothing to do but to look again. */
export const pause = () => new Promise<void>((resume) => setTimeout(resume, 2))

/** Runs the steps for a slice of time, and one at least; tells whether they have come to their end, and with what. */
export const slice = <A>(steps: Steps<A>, sliceMillis: number): IteratorResult<void, A> => {
  const until = performance.now() + sliceMillis
  let step = steps.next()
  while (step.done !== true && performance.now() < until) step = steps.next()
  return step
}

/** Runs the steps to their end, or as long as `goesOn`, which is asked between slices, says so; `undefined` then. */
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
    // Closes what the steps have open.
    steps.return(undefined as never)
  }
}

/** The items in order. Each of the runs that are sorted at once is short, and so is each step of joining them. */
export function* sorted<A>(items: ReadonlyArray<A>, compare: (a: A, b: A) => number): Steps<ReadonlyArray<A>> {
  let runs: Array<ReadonlyArray<A>> = []
  for (let begin = 0; begin < items.length; begin += 1000) {
    runs.push(items.slice(begin, begin + 1000).toSorted(compare))
    yield
  }
  while (runs.length > 1) {
    const joined: Array<ReadonlyArray<A>> = []
    for (let i = 0; i < runs.length; i += 2) {
      const [a, b] = [runs[i]!, runs[i + 1]]
      joined.push(b === undefined ? a : yield* merged(a, b, compare))
    }
    runs = joined
  }
  return runs[0] ?? []
}

function* merged<A>(
  a: ReadonlyArray<A>,
  b: ReadonlyArray<A>,
  compare: (a: A, b: A) => number
): Steps<ReadonlyArray<A>> {
  if (compare(a.at(-1)!, b[0]!) <= 0) return a.concat(b)
  const result: Array<A> = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const takeA = j === b.length || (i < a.length && compare(a[i]!, b[j]!) <= 0)
    result.push(takeA ? a[i++]! : b[j++]!)
    if (result.length % 2000 === 0) yield
  }
  return result
}
