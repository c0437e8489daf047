/** The page of a report, which is bundled from `report/` when the package is built, around its data. */
import { readFileSync } from "node:fs"

/** The whole page. */
export const page = (title: string, data: unknown): string => {
  const bundled = readFileSync(new URL("../../dist/report.html", import.meta.url), "utf8")
  // The data stand in a script, which they must not end.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c")
  return bundled.replace("{{title}}", () => title).replace("{{data}}", () => json)
}
