/** How the page of a report looks, by day and by night. */
export const style = `
:root { color-scheme: light dark; --ground: #f7f6f3; --panel: #fff; --lane: #f4f3ef; --ink: #1f2328; --soft: #666c74;
  --line: #e1dfd9; --alive: #b9b5ab; --trouble: #b86e00; --night: #5d6b75; --sleep: #6a5ab4; --good: #227a48; --bad: #c8001e;
  --bad-ground: #fdebed }
@media (prefers-color-scheme: dark) { :root { --ground: #131519; --panel: #1a1d22; --lane: #20242a; --ink: #e9e7e2;
  --soft: #a0a6ad; --line: #30353c; --alive: #5b616a; --trouble: #f0a83c; --night: #93a3ae; --sleep: #a99bea; --good: #5cc88b;
  --bad: #ff5a66; --bad-ground: #3a1a20 } }
* { box-sizing: border-box }
html, body { height: 100%; margin: 0 }
body { display: flex; flex-direction: column; min-height: 560px; background: var(--ground); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif }
header { padding: 12px 20px 8px; display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: center }
h1 { font-size: 19px; margin: 0; font-weight: 650 }
header .summary { color: var(--soft) }
.verdict { font-weight: 600; padding: 1px 11px; border-radius: 999px; border: 1px solid currentColor; color: var(--good) }
.verdict.broken { color: #fff; background: #c8001e; border-color: #c8001e }
.tools { margin-left: auto; display: flex; gap: 6px }
button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  padding: 2px 10px; cursor: pointer }
button:hover { border-color: var(--soft) }
:focus-visible { outline: 2px solid #4a8fe7; outline-offset: 1px }
#violations { flex: none; display: grid; gap: 4px; margin: 0 20px 8px; max-height: 20vh; overflow: auto }
#violations:empty { display: none }
#violations button { display: grid; grid-template-columns: 6.5em 7em 1fr; gap: 0 12px; text-align: left; color: var(--bad);
  background: var(--bad-ground); border-color: transparent; border-left: 4px solid var(--bad) }
#violations button:hover { border-color: var(--bad) }
#violations b { font-weight: 650 }
#violations small { grid-column: 3; color: var(--soft); font-size: 12.5px }
#violations p { margin: 0; color: var(--soft) }
#legend { flex: none; display: flex; flex-wrap: wrap; gap: 2px 15px; padding: 0 20px 8px; color: var(--soft); font-size: 12.5px }
#legend span::before { content: ""; display: inline-block; width: 18px; height: 10px; margin-right: 6px; border-radius: 2px;
  background: var(--swatch); vertical-align: -1px }
#legend i { font-style: normal; color: var(--ink) }
#overview { flex: none; height: 30px; margin: 0 20px 4px; cursor: pointer }
#stage { flex: none; margin: 0 20px; border: 1px solid var(--line); border-radius: 8px; overflow: hidden;
  background: var(--panel); display: flex; flex-direction: column; max-height: 68vh }
canvas { display: block; width: 100%; height: 100% }
#axis { flex: none; height: 28px; border-bottom: 1px solid var(--line) }
#lanes { flex: 0 1 auto; overflow-x: hidden; overflow-y: auto; cursor: grab; touch-action: pan-y; min-height: 0 }
#lanes.dragging { cursor: grabbing }
#tip { position: fixed; pointer-events: none; background: #1f2328; color: #f2f0eb; padding: 6px 10px;
  border-radius: 6px; font-size: 12.5px; max-width: min(560px, 90vw); opacity: 0; transition: opacity .08s; z-index: 2;
  border: 1px solid #4a5058 }
#tip div { overflow-wrap: anywhere }
#tip div:first-child { color: #a9afb6 }
#tip .bad { color: #ff8b94; font-weight: 600 }
#events { flex: 1 1 0; min-height: 96px; margin: 8px 20px 12px; border: 1px solid var(--line); border-radius: 8px;
  background: var(--panel); display: flex; flex-direction: column; overflow: hidden }
#events form { flex: none; display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: center; padding: 5px 12px;
  border-bottom: 1px solid var(--line); color: var(--soft); font-size: 12.5px }
#events input[type="search"] { font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--line);
  border-radius: 5px; padding: 1px 8px; width: 20em }
#log { flex: 1; overflow: auto; font: 12px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; padding: 4px 0 }
#log p { margin: 0; padding: 0 12px; white-space: pre; cursor: pointer; display: flex; gap: 12px }
#log p > :first-child { color: var(--soft); min-width: 8.5em; text-align: right }
#log p > :nth-child(2) { min-width: 6em; font-weight: 600 }
#log p > :nth-child(3) { min-width: 10.5em }
#log p:hover, #log p.near { background: var(--lane) }
#log p.bad { color: var(--bad); font-weight: 600 }
`
