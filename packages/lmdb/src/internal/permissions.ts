/** Modes and owner of a database's directory and files, independent of the umask. */
import * as fs from "node:fs"
import * as path from "node:path"
import { dataFile } from "./storeFiles.ts"

/** See `LmdbDatabase.Options`. */
export type Access = "owner" | "group"

/** The modes of new directories and files, and their owner if that is another user. */
export interface Permissions {
  readonly directory: number
  readonly file: number
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
}

const setGroupId = 0o2000

/** A user who may read the files may search the directory. The setgid bit gives new files the group of the directory. */
const directoryMode = (file: number): number => file | ((file & 0o444) >> 2) | ((file & 0o020) === 0 ? 0 : setGroupId)

/** An existing database keeps its modes and owner, even if root recreates a missing file. */
export const of = (directory: string, access: Access): Permissions => {
  const stat = fs.statSync(path.join(directory, dataFile), { throwIfNoEntry: false })
  const file = stat === undefined ? access === "group" ? 0o660 : 0o600 : stat.mode & 0o666
  return { directory: directoryMode(file), file, owner: process.geteuid?.() === 0 ? stat : undefined }
}

const give = (file: string, mode: number, { owner }: Permissions): void => {
  if (owner !== undefined) fs.chownSync(file, owner.uid, owner.gid)
  fs.chmodSync(file, mode)
}

/** `false` if the name exists: another process may have created it in the meantime. */
const unlessThere = (make: () => void): boolean => {
  try {
    make()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false
    throw error
  }
}

export const makeDirectory = (directory: string, permissions: Permissions): void => {
  if (unlessThere(() => fs.mkdirSync(directory, 0o700))) give(directory, permissions.directory, permissions)
}

/** Links a complete file to its path if there is none. */
export const putFile = (draft: string, file: string, permissions: Permissions): void => {
  give(draft, permissions.file, permissions)
  unlessThere(() => fs.linkSync(draft, file))
}

/** Creates a file with its content in one step if there is none. */
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
