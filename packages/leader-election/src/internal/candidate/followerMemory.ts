/** What a candidate remembers from one look at the election to the next, and from one campaign to the next. */
import * as Protocol from "../protocol/protocol.ts"

export class FollowerMemory {
  private memory = Protocol.blank
  private hasCompared = false

  get current(): Protocol.Memory {
    return this.memory
  }

  /** A look was committed, after which this is to be remembered. */
  looked(memory: Protocol.Memory): void {
    this.memory = memory
  }

  /** It may challenge the leader of `term` from an instant on. */
  challengesFrom(term: bigint, from: bigint): void {
    this.memory = { ...this.memory, challenges: { term, from } }
  }

  /** It waits until this other registration of its id is gone. */
  superseded(by: Protocol.OtherRegistration | undefined): void {
    this.memory = { ...this.memory, supersededBy: by }
  }

  registered(): void {
    this.superseded(undefined)
  }

  elected(term: bigint): void {
    this.memory = { ...this.memory, vacantSince: undefined, yieldsUntil: undefined, led: term }
  }

  /** It leaves a vacancy to others until an instant. */
  yieldsUntil(until: bigint): void {
    this.memory = { ...this.memory, yieldsUntil: until }
  }

  /** Whether the configuration in force is yet to be compared with the one that was given; `true` once. */
  isFirstComparison(): boolean {
    const isFirst = !this.hasCompared
    this.hasCompared = true
    return isFirst
  }
}
