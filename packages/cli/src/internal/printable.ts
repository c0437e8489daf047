/**
 * Text that others have written, as the id of a candidate, shown to people: what would move the cursor, clear the screen,
 * turn the direction of writing or look like a line of ours is written out, as `\x1b` or `\n`.
 */
const hidden = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

const named: ReadonlyMap<string, string> = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]])

const written = (character: string): string => {
  const hex = character.charCodeAt(0).toString(16)
  return named.get(character) ?? (hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`)
}

/** See the module. Text that is printable already stays as it is. */
export const printable = (text: string): string => text.replaceAll(hidden, written)
