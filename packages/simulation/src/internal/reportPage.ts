/** The page of a report, around the data that are put into it. */
import { script } from "./reportScript.ts"
import { style } from "./reportStyle.ts"

const blue = "hsl(212 62% 45%)"
const stripes = (dark: string, light: string) => `repeating-linear-gradient(135deg, ${dark} 0 2px, ${light} 2px 5px)`

const legend: ReadonlyArray<readonly [string, string]> = [
  ["a candidate", "linear-gradient(var(--alive) 0 0) center / 100% 3px no-repeat"],
  [
    "believes that it leads, until its deadline",
    "linear-gradient(to top right, hsl(212 62% 60%) 50%, hsl(212 62% 85%) 50%)"
  ],
  ["works", blue],
  ["finalizers", stripes("hsl(212 62% 38%)", "hsl(212 62% 75%)")],
  ["frozen", stripes("var(--night)", "transparent")],
  ["suspended", stripes("var(--sleep)", "transparent")],
  ["cut off, slow", "var(--trouble)"],
  ["dead", "repeating-linear-gradient(90deg, var(--alive) 0 2px, transparent 2px 8px) center / 100% 2px no-repeat"],
  ["broken promise", "var(--bad)"]
]

const signs: ReadonlyArray<readonly [string, string]> = [
  ["▼", "elected"],
  ["▲", "challenges"],
  ["✕", "crashed"],
  ["◆", "an operator"]
]

/** The whole page; `data` is JSON that may stand in a script. */
export const page = (title: string, data: string): string =>
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} – simulated election</title>
<style>${style}</style>
<header>
  <h1 id="title"></h1><span id="summary" class="summary"></span><span id="verdict" class="verdict"></span>
  <span class="tools">
    <button id="previous" title="key p">◂ election</button><button id="next" title="key n">election ▸</button>
    <button id="in" title="key +">zoom in</button><button id="out" title="key -">zoom out</button>
    <button id="all" title="key 0">all</button>
  </span>
</header>
<div id="violations"></div>
<div id="legend">${
    legend.map(([name, swatch]) => `<span style="--swatch: ${swatch}">${name}</span>`).join("") +
    signs.map(([sign, name]) => `<div><i>${sign}</i> ${name}</div>`).join("")
  }</div>
<div id="overview"><canvas></canvas></div>
<div id="stage"><div id="axis"><canvas></canvas></div><div id="lanes"><canvas role="img"></canvas></div></div>
<div id="events">
  <form><input id="filter" type="search" placeholder="find: p3, elected, outage, 1021" aria-label="find events">
    <label><input id="everything" type="checkbox"> routine too</label><span id="count"></span>
    <span style="margin-left: auto">wheel: zoom, drag: move; keys: ← → + − 0, n p elections, v violations</span></form>
  <div id="log"></div>
</div>
<div id="tip"></div>
<script id="data" type="application/json">${data}</script>
<script type="module">${script()}</script>
</html>
`
