/** The page, which is bundled from `page/` when the package is built. */
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { text } from "./answers.ts"

/** It loads nothing, and speaks with nobody but the server that it comes from. */
const policy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

let read: string | undefined

export const page = Effect.sync(() => {
  read ??= readFileSync(new URL("../../dist/page.html", import.meta.url), "utf8")
  return text(200, read, "text/html; charset=utf-8", {
    "content-security-policy": policy,
    "referrer-policy": "no-referrer"
  })
})
