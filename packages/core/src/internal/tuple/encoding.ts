/** The type codes and bounds of the tuple encoding, which all FoundationDB clients share. */

export const code = {
  null: 0x00,
  bytes: 0x01,
  string: 0x02,
  nested: 0x05,
  negativeBig: 0x0b,
  zero: 0x14,
  positiveBig: 0x1d,
  float: 0x20,
  double: 0x21,
  false: 0x26,
  true: 0x27,
  uuid: 0x30,
  versionstamp: 0x33
}

/** Follows a zero byte that does not end an element, and a null in a nested tuple. */
export const escape = 0xff

/** The maximum depth of nested tuples: more than any use needs, and safe for the stack. */
export const maxDepth = 100

/** The longest integer in bytes: its length is one byte. */
export const maxIntegerLength = 255

/** The longest integer whose length is part of the type code. */
export const maxSmallIntegerLength = 8
