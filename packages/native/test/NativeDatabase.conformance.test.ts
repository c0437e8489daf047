import * as Conformance from "@effect-fdb/core/conformance/Conformance"
import { Layer } from "effect"
import * as nativeLayer from "./support/nativeLayer.ts"

Conformance.suite(
  "NativeDatabase over the double of the binding",
  Layer.provide(nativeLayer.layer(), nativeLayer.Fake.layer),
  { testClock: true }
)
