/** Ends this process. Plain functions: the launcher uses them as well. */
import * as tty from "node:tty"

const standard = [0, 1, 2]
const terminals = standard.filter((descriptor) => tty.isatty(descriptor))

/**
 * Ends with this exit code, or, where the terminal of a standard stream has hung up, as SIGHUP ends a process: Node would set
 * that terminal's modes back when it exits, and abort for it cannot.
 */
export const exit = (code: number): never => {
  if (!terminals.every((descriptor) => tty.isatty(descriptor))) {
    process.removeAllListeners("SIGHUP")
    process.kill(process.pid, "SIGHUP")
  }
  return process.exit(code)
}
