// vitest finds this file by its name; the projects stand in vitest.workspace.ts.
export { default } from "./vitest.workspace.ts"
