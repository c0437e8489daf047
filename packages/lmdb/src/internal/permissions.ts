/** Who may use a database: what its directory and its files are made with, whatever the umask of the process. */
import * as fs from "node:fs"
import * as path from "node:path"
import { dataFile } from "./storeFiles.ts"

/** See `LmdbDatabase.Options`. */
export type Access = "owner" | "group"

/** What is to be made gets these modes, and this owner where that is not who makes it. */
export interface Permissions {
  readonly directory: number
  readonly file: number
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
}

const setGroupId = 0o2000

/** Whoever may read files may search their directory; what a group shares is made with the group of the directory. */
const directoryMode = (file: number): number => file | ((file & 0o444) >> 2) | ((file & 0o020) === 0 ? 0 : setGroupId)

/** A database that is there keeps its own, and its owner: also where root makes a file anew that was missing. */
export const of = (directory: string, access: Access): Permissions => {
  const stat = fs.statSync(path.join(directory, dataFile), { throwIfNoEntry: false })
  const file = stat === undefined ? access === "group" ? 0o660 : 0o600 : stat.mode & 0o666
  return { directory: directoryMode(file), file, owner: process.geteuid?.() === 0 ? stat : undefined }
}

const give = (file: string, mode: number, { owner }: Permissions): void => {
  if (owner !== undefined) fs.chownSync(file, owner.uid, owner.gid)
  fs.chmodSync(file, mode)
}

/** `false` where something of this name is there already: another process may have made it in the meantime. */
const unlessThere = (make: () => void): boolean => {
  try {
    make()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false
    throw error
  }
}

/** Makes a directory where there is none. */
export const makeDirectory = (directory: string, permissions: Permissions): void => {
  if (unlessThere(() => fs.mkdirSync(directory, 0o700))) give(directory, permissions.directory, permissions)
}

/** Puts a file at its path, if there is none. */
export const putFile = (draft: string, file: string, permissions: Permissions): void => {
  give(draft, permissions.file, permissions)
  unlessThere(() => fs.linkSync(draft, file))
}

/** Makes a file where there is none: beside its path, and then put there at once. */
export const makeFile = (file: string, content: Uint8Array, permissions: Permissions): void => {
  if (fs.existsSync(file)) return
  const draft = `${file}.${process.pid}`
  fs.rmSync(draft, { force: true })
  try {
    fs.writeFileSync(draft, content, { flag: "wx", mode: 0o600 })
    putFile(draft, file, permissions)
  } finally {
    fs.rmSync(draft, { force: true })
  }
}
