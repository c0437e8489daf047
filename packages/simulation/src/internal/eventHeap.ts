/** Scheduled tasks by instant, then by the order of their scheduling. This order is a part of what a seed means. */

/** A task that is going to run, unless `run` is taken away. */
export interface ScheduledTask {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

const isBefore = (a: ScheduledTask, b: ScheduledTask): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export class EventHeap {
  private readonly heap: Array<ScheduledTask> = []
  private order = 0

  add(at: number, run: () => void): ScheduledTask {
    const { heap } = this
    const added: ScheduledTask = { at, order: this.order++, run }
    let index = heap.length
    heap.push(added)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(added, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = added
    return added
  }

  /** The next that was not cancelled. */
  peek(): ScheduledTask | undefined {
    while (this.heap.length > 0 && this.heap[0]!.run === undefined) this.removeFirst()
    return this.heap[0]
  }

  removeFirst(): void {
    const { heap } = this
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    while (true) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}
