/** What the subcommands do, but for `run` and `simulate`. */
export { candidates, evict } from "./handlers/candidates.ts"
export { get, init, set, toggle } from "./handlers/config.ts"
export { history } from "./handlers/history.ts"
export { openElection } from "./handlers/openElection.ts"
export { serve } from "./handlers/serve.ts"
export { status, watch } from "./handlers/status.ts"
export { stepDown } from "./handlers/stepDown.ts"
export { exportElection, importElection, raiseTerms } from "./handlers/terms.ts"
