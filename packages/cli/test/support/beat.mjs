// Tells the time again and again in a file, in nanoseconds since the epoch, and ignores whatever can be ignored. Only for tests.
import { appendFileSync } from "node:fs"

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(signal, () => {})

setInterval(() => appendFileSync(process.argv[2], `${Date.now()}000000\n`), 10)
