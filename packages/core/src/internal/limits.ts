/** FoundationDB's limits, in bytes. */
export const maxKeyLength = 10_000
export const maxValueLength = 100_000
export const maxTransactionSize = 10_000_000

/** The length of the offset that follows a versionstamped key or value. */
export const offsetLength = 4

/** The smallest `sizeLimit`. */
export const minTransactionSize = 32

/** FoundationDB's client adds these to the bytes of a mutation and of a conflict range. */
export const mutationOverhead = 44
export const rangeOverhead = 24
