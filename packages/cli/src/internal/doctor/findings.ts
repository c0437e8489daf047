/** What the doctor has found, and how it is shown: worst first. */
import * as Table from "../table.ts"

/** From the worst. */
const severities = ["error", "warning", "info", "ok"] as const

export type Severity = (typeof severities)[number]

export interface Finding {
  readonly severity: Severity
  /** What was looked at, in a word. */
  readonly check: string
  readonly found: string
  /** What to do; none if nothing is to be done. */
  readonly remedy?: string
}

const finding = (severity: Severity) => (check: string, found: string, remedy?: string): Finding =>
  remedy === undefined ? { severity, check, found } : { severity, check, found, remedy }

/** Something does not work. */
export const error = finding("error")
/** It works, and will not at some time, or not as well as it could. */
export const warning = finding("warning")
/** Something to know. */
export const info = finding("info")
export const ok = finding("ok")

export const sorted = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> =>
  findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))

/** The exit code: 0 unless something is to be done, 1 for warnings, 2 for errors. */
export const exitCode = (findings: ReadonlyArray<Finding>): 0 | 1 | 2 => {
  const has = (severity: Severity) => findings.some((finding) => finding.severity === severity)
  return has("error") ? 2 : has("warning") ? 1 : 0
}

const counted = (findings: ReadonlyArray<Finding>, severity: Severity): ReadonlyArray<string> => {
  const { length } = findings.filter((finding) => finding.severity === severity)
  return length === 0 ? [] : [`${length} ${severity}${length === 1 ? "" : "s"}`]
}

export const toLines = (title: string, findings: ReadonlyArray<Finding>): ReadonlyArray<string> => {
  const bad = [...counted(findings, "error"), ...counted(findings, "warning")]
  const rows = findings.flatMap(({ check, found, remedy, severity }) => [
    [severity, check, found],
    ...(remedy === undefined ? [] : [["", "", `-> ${remedy}`]])
  ])
  return [`${title}: ${bad.length === 0 ? "nothing wrong was found" : bad.join(", ")}`, ...Table.lines(rows)]
}
