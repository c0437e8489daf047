/** The examples by name. */
import type { Effect } from "effect"
import * as cron from "./cron.ts"
import * as fencing from "./fencing.ts"
import * as httpApi from "./http-api.ts"
import * as managedRuntime from "./managed-runtime.ts"
import * as primaryBackup from "./primary-backup.ts"
import * as rollingDeployment from "./rolling-deployment.ts"
import * as scheduler from "./scheduler.ts"
import * as singleton from "./singleton.ts"
import * as testing from "./testing.ts"

export const examples: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
  singleton: singleton.main,
  scheduler: scheduler.main,
  "primary-backup": primaryBackup.main,
  "rolling-deployment": rollingDeployment.main,
  testing: testing.main,
  fencing: fencing.main,
  cron: cron.main,
  "managed-runtime": managedRuntime.main,
  "http-api": httpApi.main
}
