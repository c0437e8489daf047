/** A number of things, in words: `1 promise`, `2 histories`. */
export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
