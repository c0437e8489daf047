/** An engine of which some operations are done differently. */
import type { Engine } from "@effect-fdb/core"

/** What is done differently in one attempt. */
export type Overrides = Partial<Engine.EngineTransaction>

export const decorate = (
  engine: Engine.Engine,
  override: (inner: Engine.EngineTransaction) => Overrides
): Engine.Engine => ({
  name: engine.name,
  maxKeyLength: engine.maxKeyLength,
  begin: (options) => {
    const inner = engine.begin(options)
    return {
      readVersion: inner.readVersion,
      setReadVersion: (version) => inner.setReadVersion(version),
      get: (key, snapshot) => inner.get(key, snapshot),
      getAll: (keys, snapshot) => inner.getAll(keys, snapshot),
      getKey: (selector, snapshot) => inner.getKey(selector, snapshot),
      getPage: (begin, end, page) => inner.getPage(begin, end, page),
      mutate: (mutation) => inner.mutate(mutation),
      addReadConflict: (range) => inner.addReadConflict(range),
      addWriteConflict: (range) => inner.addWriteConflict(range),
      watch: (key) => inner.watch(key),
      requestVersionstamp: () => inner.requestVersionstamp(),
      commit: inner.commit,
      dispose: inner.dispose,
      ...override(inner)
    }
  }
})
