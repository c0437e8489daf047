/** The program of a report's page, which is bundled from `report/` when the package is built. */
import { readFileSync } from "node:fs"

/** It stands in a page, where nothing may end the script but its end. */
export const script = (): string =>
  readFileSync(new URL("../../dist/report.js", import.meta.url), "utf8").replaceAll("</script", "<\\/script")
