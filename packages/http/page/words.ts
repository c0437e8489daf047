/** Durations, counts and events in words. */

export const durationText = (millis: number): string => {
  const seconds = Math.max(0, millis) / 1000
  if (seconds < 60) return `${Math.floor(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days ${hours % 24} h`
}

export const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`

type Data = { readonly [name: string]: unknown }

const sentences: { readonly [event: string]: (data: Data) => string } = {
  Registered: ({ again }) => again === true ? "was evicted, and has registered again" : "takes part",
  Superseded: () => "another process has its id",
  ConfigDiffers: () => "was given another configuration than the one in force",
  Challenged: ({ term }) => `has asked the leader of term ${term} to step down`,
  Elected: ({ cause, term }) => `leads in term ${term} (${cause})`,
  RenewalFailed: ({ error }) => `a renewal failed: ${error}`,
  Lost: ({ reason, term }) => `has lost term ${term}: ${reason}`,
  Overrun: ({ term }) => `its work goes on though term ${term} has lapsed`,
  Resigned: ({ term }) => `has resigned from term ${term}`,
  Evicted: () => "has evicted dead candidates",
  Retried: ({ error }) => `tries again: ${error}`
}

/** An event of a candidate as half a sentence; `undefined` for one that is routine. */
export const eventText = (event: string, data: Data): string | undefined => sentences[event]?.(data)
