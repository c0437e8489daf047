/**
 * Makes foreign text, such as a candidate's id, printable. Characters that would move the cursor, clear the screen, change the direction
 * of writing or begin a line become escapes, such as `\x1b` or `\n`.
 */
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

const named: { readonly [character: string]: string } = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const escape = (character: string): string => {
  const hex = character.charCodeAt(0).toString(16)
  return named[character] ?? (hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`)
}

export const printable = (text: string): string => text.replaceAll(control, escape)
