import type { Tests } from "./tests.ts"
export const properties: Tests = () => {}
