import * as Schema from "effect/Schema"

/**
 * A request that the leader of a term steps down, as it is stored.
 *
 * @since 0.1.0
 * @category models
 */
export class Challenge extends Schema.Class<Challenge>("@effect-fdb/leader-election/Challenge")({
  /** The term that is challenged. */
  term: Schema.BigInt,
  /** The candidate of higher priority that asks; `undefined` if an operator asks. */
  challengerId: Schema.UndefinedOr(Schema.String),
  /** The challenger's priority. */
  priority: Schema.Int
}) {}
