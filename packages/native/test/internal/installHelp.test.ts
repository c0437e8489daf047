import { assert, describe, it } from "@effect/vitest"
import { clientUnavailable, installClient } from "../../src/internal/installHelp.ts"
import { UnavailableReason } from "../../src/NativeError.ts"

describe("help with the installation", () => {
  it("names the command that installs the client, by platform and processor", () => {
    assert.match(installClient("linux", "x64"), /dpkg -i foundationdb-clients_VERSION_amd64\.deb/)
    assert.match(installClient("linux", "x64"), /rpm -i foundationdb-clients-VERSION\.x86_64\.rpm/)
    assert.match(installClient("linux", "arm64"), /foundationdb-clients_VERSION_aarch64\.deb/)
    assert.match(installClient("darwin", "arm64"), /FoundationDB-VERSION_arm64\.pkg.*DYLD_LIBRARY_PATH/)
    assert.match(installClient("darwin", "x64"), /FoundationDB-VERSION_x86_64\.pkg/)
    assert.match(installClient("win32", "x64"), /Linux or macOS, or choose the LMDB engine/)
  })

  it("belongs to every reason, and ends the message", () => {
    for (const reason of UnavailableReason.literals) {
      const error = clientUnavailable(reason, "this is what was found")
      assert.include(error.message, "this is what was found. ")
      assert.isTrue(error.message.endsWith(error.hint))
      assert.match(error.hint, /\.$/)
    }
  })
})
