/** Nanoseconds in milliseconds, rounded. */
export const millisOf = (nanos: bigint): number => Math.round(Number(nanos) / 1e6)
