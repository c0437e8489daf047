/** The errors of the double. */

/** As the error class of the package. */
export class FakeError extends Error {
  readonly code: number
  constructor(code: number) {
    super(`FoundationDB said ${code}`)
    this.code = code
  }
}

/** What a call comes to that goes wrong: an error of FoundationDB, or without a code the plain one that a bug would get. */
export const errorOf = (code: number | undefined): Error =>
  code === undefined ? new Error("Invalid arguments") : new FakeError(code)
