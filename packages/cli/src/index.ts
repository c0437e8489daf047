/** The command `fdb-election`. */
export * as Cli from "./Cli.ts"
export * as ElectionName from "./ElectionName.ts"
export * as ExitCode from "./ExitCode.ts"
