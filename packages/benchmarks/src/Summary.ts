/** Statistics of measurements. */

/** The smallest value that is not exceeded by `fraction` of the values; `NaN` if there are none. */
export const percentile = (values: ReadonlyArray<number>, fraction: number): number => {
  if (values.length === 0) return Number.NaN
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]!
}

export interface Span {
  readonly begin: number
  readonly end: number
}

/** Joins spans that overlap or touch, in the order of time. */
export const bursts = (spans: ReadonlyArray<Span>): Array<Span> => {
  const merged: Array<Span> = []
  for (const span of spans.toSorted((a, b) => a.begin - b.begin)) {
    const last = merged.at(-1)
    if (last === undefined || span.begin > last.end) merged.push(span)
    else merged[merged.length - 1] = { begin: last.begin, end: Math.max(last.end, span.end) }
  }
  return merged
}
