/** See `LmdbDatabase.Options`. */
export type Durability = "disk" | "process"
