/** What the network needs of `process`: an `exit` event, which can be made to happen. */
import type { ExitEvents } from "../../src/internal/network.ts"

type Listener = (code: number) => void

export class FakeProcess implements ExitEvents {
  private registered: Array<Listener> = []

  listeners(_event: "exit"): Array<Listener> {
    return [...this.registered]
  }

  on(_event: "exit", listener: Listener): this {
    this.registered.push(listener)
    return this
  }

  off(_event: "exit", listener: Listener): this {
    this.registered = this.registered.filter((other) => other !== listener)
    return this
  }

  exit(code: number): void {
    for (const listener of this.registered) listener(code)
  }
}
