/** The process that has started this one. The program loads this module before all others, for that process may end soon. */
import { statOf } from "./processGroup.ts"

const parent = process.ppid

/**
 * Whether the parent is another one than this process was born of. Every process is born in the session of its parent: one
 * that is in another, and has not begun its own, was adopted before this module was loaded.
 */
const isAdopted = (): boolean => {
  if (process.platform !== "linux") return false
  const [own, adopter] = [statOf("self")?.[3], statOf(process.ppid)?.[3]]
  return own !== undefined && adopter !== undefined && own !== adopter && own !== String(process.pid)
}

/** Whether the process that has started this one is gone, as far as that can be seen. */
export const parentIsGone = (): boolean => process.ppid !== parent || isAdopted()
