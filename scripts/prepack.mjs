// Builds the package in the current directory anew, so that its tarball has every module and no old one.
import { basename } from "node:path"
import { buildAnew } from "./buildAnew.mjs"

buildAnew([basename(process.cwd())])
