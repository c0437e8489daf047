/** Whether answers of several servers that they lead contradict each other. */

/** An answer by which a server leads: the server has decided so at an instant that is not known, from `sent` to `received`. */
export interface Led {
  /** The index of the server. */
  readonly server: number
  readonly term: bigint
  /** Before the first byte of the request was sent, and after the last one of the answer came, by one monotonic clock, in milliseconds. */
  readonly sent: number
  readonly received: number
}

export interface Judgement {
  readonly contradictions: ReadonlyArray<string>
  readonly terms: number
  /** Answers of an earlier term that came after those of a later one had come, though they had been asked for before, and by how much. */
  readonly late: { readonly count: number; readonly mostMillis: number }
}

/**
 * Leaders follow one another in the order of their terms, each for one span of time. So the answers are those of one leader at a time if
 * and only if each term has one server, and instants can be chosen such that all of an earlier term are before all of a later one. They
 * can be chosen unless an answer of an earlier term was asked for after one of a later term had come.
 */
export const judge = (led: ReadonlyArray<Led>): Judgement => {
  const terms = [...new Set(led.map(({ term }) => term))].toSorted((a, b) => a < b ? -1 : 1)
  const contradictions: Array<string> = []
  let count = 0
  let mostMillis = 0
  /** When the first answer of a later term came. */
  let laterAt = Infinity
  for (const term of terms.toReversed()) {
    const answers = led.filter((answer) => answer.term === term)
    const servers = new Set(answers.map(({ server }) => server))
    if (servers.size > 1) contradictions.push(`term ${term}: servers ${[...servers].join(" and ")}`)
    for (const { received, sent, server } of answers) {
      if (sent > laterAt) {
        contradictions.push(
          `term ${term} of server ${server} was asked for ${sent - laterAt} ms after a later term had answered`
        )
      } else if (received > laterAt) {
        count++
        mostMillis = Math.max(mostMillis, received - laterAt)
      }
    }
    for (const { received } of answers) laterAt = Math.min(laterAt, received)
  }
  return { contradictions, terms: terms.length, late: { count, mostMillis } }
}
