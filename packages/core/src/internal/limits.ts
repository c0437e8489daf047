/** FoundationDB's limits, in bytes. */
export const maxKeyLength = 10_000
export const maxValueLength = 100_000
export const maxTransactionSize = 10_000_000

/** How far back a version can be read or committed against: five seconds at about a million versions a second. */
export const maxReadVersionAge = 5_000_000n
