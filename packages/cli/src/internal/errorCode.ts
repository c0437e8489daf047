/** The code of an error of the operating system, as `EPIPE`; `undefined` for anything else. */
export const codeOf = (cause: unknown): string | undefined =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : undefined
