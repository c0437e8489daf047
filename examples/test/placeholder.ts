// Holds the place of the first test of this package.
export const placeholder = true
