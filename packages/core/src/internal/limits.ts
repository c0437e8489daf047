/** FoundationDB's limits, in bytes. */
export const maxKeyLength = 10_000
export const maxValueLength = 100_000
export const maxTransactionSize = 10_000_000

/** How far back a version can be read or committed against: five seconds at about a million versions a second. */
export const maxReadVersionAge = 5_000_000n

/** What counts beside a key or value that a versionstamp is put into: where it is put. */
export const offsetLength = 4

/** The least that `sizeLimit` may be. */
export const minTransactionSize = 32

/** What FoundationDB's client counts for a mutation, beside its bytes, and for a conflict range. */
export const mutationOverhead = 44
export const rangeOverhead = 24
