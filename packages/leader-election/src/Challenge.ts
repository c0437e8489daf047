/**
 * A request that the leader of a term steps down.
 */
import * as Schema from "effect/Schema"

/**
 * See the fields.
 *
 * @since 0.1.0
 * @category models
 */
export class Challenge extends Schema.Class<Challenge>("@effect-fdb/leader-election/Challenge")({
  /** The term that is challenged. */
  term: Schema.BigInt,
  /** The candidate of higher priority that asks; `undefined` where an operator does. */
  challengerId: Schema.UndefinedOr(Schema.String),
  /** The challenger's priority. */
  priority: Schema.Int
}) {}
