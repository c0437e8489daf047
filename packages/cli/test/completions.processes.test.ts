import { assert, describe, it } from "@effect/vitest"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { program } from "./support/processes.ts"

/** What Bash offers for each of the lines, in a directory with a directory and two files. */
const offered = (lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "fdb-election-test-"))
  try {
    fs.mkdirSync(path.join(directory, "folder"))
    for (const file of ["first", "fi le"]) fs.writeFileSync(path.join(directory, file), "")
    const script = `
eval "$("$1" "$2" --completions bash)"
function=$(complete -p fdb-election | sed 's/.*-F \\([^ ]*\\).*/\\1/')
shift 2
for line in "$@"; do
  COMP_LINE=$line COMP_POINT=\${#line} COMPREPLY=()
  read -ra COMP_WORDS <<<"$line"
  [ "\${line: -1}" = " " ] && COMP_WORDS+=("")
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  $function fdb-election "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD - 1]}"
  printf '%s\\t' "\${COMPREPLY[@]}"
  echo
done`
    const output = childProcess.execFileSync("bash", ["-c", script, "bash", process.execPath, program, ...lines], {
      cwd: directory,
      encoding: "utf8"
    })
    return output.trimEnd().split("\n").map((line) => line.split("\t").filter((word) => word !== "").toSorted())
  } finally {
    fs.rmSync(directory, { recursive: true })
  }
}

describe("completions", () => {
  it("are directories, files, choices or subcommands, by what the place takes", () => {
    const all = ["fi\\ le", "first", "folder"]
    const cases: ReadonlyArray<readonly [line: string, offered: ReadonlyArray<string>]> = [
      ["fdb-election status --path ", ["folder"]],
      ["fdb-election status --witness fo", ["folder"]],
      ["fdb-election status --cluster-file fi", ["fi\\ le", "first"]],
      ["fdb-election import ", all],
      ["fdb-election run -- ./fo", ["./folder"]],
      ["fdb-election simulate --report ", all],
      ["fdb-election status --engine ", ["fdb", "lmdb"]],
      ["fdb-election ste", ["step-down"]]
    ]
    assert.deepStrictEqual(offered(cases.map(([line]) => line)), cases.map(([, words]) => words))
  })
})
