/** Log lines of the library's own. A logger that throws must not end what goes on: it costs its line. */
import * as Effect from "effect/Effect"

const harmless = (line: Effect.Effect<void>): Effect.Effect<void> => Effect.catchDefect(line, () => Effect.void)

export const debug = (...message: ReadonlyArray<unknown>) => harmless(Effect.logDebug(...message))
export const info = (...message: ReadonlyArray<unknown>) => harmless(Effect.logInfo(...message))
export const warning = (...message: ReadonlyArray<unknown>) => harmless(Effect.logWarning(...message))
export const error = (...message: ReadonlyArray<unknown>) => harmless(Effect.logError(...message))
