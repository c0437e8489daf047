import * as Schema from "effect/Schema"
import { ElectionConfig } from "./ElectionConfig.ts"
import { HistoryEntry } from "./HistoryEntry.ts"

/**
 * What is to survive a move to another store: the configuration, the greatest ballot, and the history. Candidates and the leader are
 * not part of it: they register and are elected anew.
 *
 * @example const toJson = Schema.encodeSync(Schema.toCodecJson(ElectionExport))
 * @since 0.1.0
 * @category models
 */
export class ElectionExport extends Schema.Class<ElectionExport>("@effect-fdb/leader-election/ElectionExport")({
  config: ElectionConfig,
  /** The greatest ballot that was written. No term is greater. */
  ballot: Schema.BigInt,
  /** The stored tenures, newest first. */
  history: Schema.Array(HistoryEntry)
}) {}
