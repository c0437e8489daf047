/** FoundationDB's limits, in bytes. */
export const maxKeyLength = 10_000
export const maxValueLength = 100_000
export const maxTransactionSize = 10_000_000

/** The bytes of the offset that goes with a key or value that a versionstamp is put into. */
export const offsetLength = 4

/** The least `sizeLimit`. */
export const minTransactionSize = 32

/** What FoundationDB's client counts for a mutation and for a conflict range, beside their bytes. */
export const mutationOverhead = 44
export const rangeOverhead = 24
