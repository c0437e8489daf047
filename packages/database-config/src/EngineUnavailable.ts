import * as Schema from "effect/Schema"

/**
 * The package of an engine cannot be loaded. Its message says what to install.
 *
 * @since 0.1.0
 * @category errors
 */
export class EngineUnavailable extends Schema.TaggedError<EngineUnavailable>()("EngineUnavailable", {
  engine: Schema.String,
  /** The npm packages to install. */
  packages: Schema.String,
  /** The error of the import. */
  detail: Schema.String
}) {
  override get message(): string {
    return `The engine "${this.engine}" cannot be loaded: ${this.detail}. Install it with \`npm install ${this.packages}\`.`
  }
}
