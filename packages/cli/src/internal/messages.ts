/** What is written on standard error: sentences for people, or a line of JSON for each of them and for each event (`eventLine.ts`). */
import * as Context from "effect/Context"
import { printable } from "./printable.ts"

export const formats = ["text", "json"] as const

/** The format that the command line asks for; it applies from when that is known. */
export class MessageFormat extends Context.Service<MessageFormat, { current: (typeof formats)[number] }>()(
  "@effect-fdb/cli/MessageFormat"
) {}

/** JSON in one line, without a control character: what a terminal or a reader of lines might take for something else. */
export const toLine = (millis: number, fields: object): string =>
  JSON.stringify({ time: new Date(millis).toISOString(), ...fields }).replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** A message as a line. Its level is told by JSON only, and of lines of the library. */
export const messageLine = (
  { current }: MessageFormat["Service"],
  millis: number,
  level: string,
  message: string
): string => current === "json" ? toLine(millis, { level, message }) : `fdb-election: ${printable(message)}`
