/** Hooks of the module loader that change the text of files as they are loaded. */
import type { InitializeHook, LoadHook } from "node:module"

type Changes = ReadonlyArray<{ readonly url: string; readonly find: string; readonly replace: string }>

let changes: Changes = []

export const initialize: InitializeHook<Changes> = (data) => {
  changes = data
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context)
  const own = changes.filter((change) => change.url === url)
  if (own.length === 0 || loaded.source === undefined || loaded.source === null) return loaded
  let source = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source)
  for (const { find, replace } of own) source = source.replace(find, () => replace)
  return { ...loaded, source }
}
