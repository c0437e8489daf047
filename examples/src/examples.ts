import type { Effect } from "effect"
import { main as cron } from "./cron.ts"
import { main as fencing } from "./fencing.ts"
import { main as httpApi } from "./http-api.ts"
import { main as managedRuntime } from "./managed-runtime.ts"
import { main as otlp } from "./otlp.ts"
import { main as partitionedQueue } from "./partitioned-queue.ts"
import { main as primaryBackup } from "./primary-backup.ts"
import { main as rollingDeployment } from "./rolling-deployment.ts"
import { main as scheduler } from "./scheduler.ts"
import { main as singleton } from "./singleton.ts"
import { main as testing } from "./testing.ts"

export const examples: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
  singleton,
  scheduler,
  testing,
  fencing,
  cron,
  "primary-backup": primaryBackup,
  "partitioned-queue": partitionedQueue,
  "rolling-deployment": rollingDeployment,
  "managed-runtime": managedRuntime,
  "http-api": httpApi,
  otlp
}
