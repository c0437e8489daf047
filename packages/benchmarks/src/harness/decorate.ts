/** Decorates an engine. */
import type { Engine } from "@effect-fdb/core"

/** Replaces operations of an engine whose attempts have them as fields, as the memory engine's have. */
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
