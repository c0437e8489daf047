/** An engine of which some operations are done differently. */
import type { Engine } from "@effect-fdb/core"

/** Decorates an engine whose attempts have all operations as fields, as those of the memory engine. */
export const decorate = (
  engine: Engine.Engine,
  override: (inner: Engine.EngineTransaction) => Partial<Engine.EngineTransaction>
): Engine.Engine => ({
  ...engine,
  begin: (options) => {
    const inner = engine.begin(options)
    return { ...inner, ...override(inner) }
  }
})
