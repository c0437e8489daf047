/**
 * Text that others have written, as the id of a candidate, made printable for people: what would move the cursor, clear the screen,
 * turn the direction of writing or look like a line of ours is written out, as `\x1b` or `\n`.
 */
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

const named: { readonly [character: string]: string } = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const escape = (character: string): string => {
  const hex = character.charCodeAt(0).toString(16)
  return named[character] ?? (hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`)
}

/** See the module. Text that is printable already stays as it is. */
export const printable = (text: string): string => text.replaceAll(control, escape)
