/** The metrics of the database layer. */
import * as Metric from "effect/Metric"

const retried = Metric.counter("fdb_transaction_retries_total", {
  description: "Attempts of transactions that were retried, by engine and error code",
  incremental: true
})

/** Attempts that failed with `code` and were tried again. */
export const retries = (engine: string, code: number) => Metric.withAttributes(retried, { engine, code: String(code) })
