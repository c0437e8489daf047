import * as Conformance from "@effect-fdb/core/conformance/Conformance"
import { NativeDatabase } from "@effect-fdb/native"
import { onCluster } from "./cluster.ts"

onCluster(
  "conformance",
  () => Conformance.suite("NativeDatabase on a cluster", NativeDatabase.layer(), { selectorsCountCleared: true })
)
