/** The messages of a connection: one JSON value a line. */
import type { ProcessIdentity } from "./processIdentity.ts"

/** The version of the messages. Processes of different versions do not witness each other. */
export const version = 1

/** The longest line, in characters. */
export const maxLineLength = 16_384

export type Message =
  /** The first line of each side: its name, which is that of its socket's file, and the process that it is. */
  | { readonly hello: string; readonly version: number; readonly process?: ProcessIdentity | undefined }
  /** The end of this process is the death of this candidate. */
  | { readonly tell: string }
  /** It no longer is. */
  | { readonly takeBack: string }
  /** The number of `tell` and `takeBack` that have arrived over this connection. */
  | { readonly ack: number }
  /** The connection ends, and what was told over it counts no more. */
  | { readonly goodbye: "closing" | "duplicate" }

export const encode = (message: Message): string => `${JSON.stringify(message)}\n`

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

const isProcess = (value: unknown): boolean => {
  const { namespace, pid, start } = Object(value)
  return Number.isSafeInteger(pid) && typeof start === "string" && typeof namespace === "string"
}

const isMessage = (value: object): value is Message => {
  if ("hello" in value) {
    const { hello, process, version } = value as { hello: unknown; process?: unknown; version?: unknown }
    return isText(hello) && Number.isSafeInteger(version) && (process === undefined || isProcess(process))
  }
  if ("tell" in value) return isText(value.tell)
  if ("takeBack" in value) return isText(value.takeBack)
  if ("ack" in value) return Number.isSafeInteger(value.ack)
  return "goodbye" in value && isText(value.goodbye)
}

/** `undefined` for a line that is no message. */
export const decode = (line: string): Message | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && isMessage(value) ? value : undefined
  } catch {
    return undefined
  }
}
