#pragma once

#include <string_view>

namespace hubbub::inline v0 {

// Made by tools/live_page of the files in page/: change those. Why it is long: it is all of them.

/// A file of the page of an OperationsServer.
struct LiveFile {
    std::string_view name, type, content;
};
// clang-format off
inline constexpr LiveFile live_files[] = {
    {"index.html", "text/html; charset=utf-8", R"page(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#191c25" media="(prefers-color-scheme: dark)">
<title>hubbub live</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='9' fill='%234f46e5'/%3E%3Cpath d='M6 17h4l3-8 5 14 3-6h5' fill='none' stroke='white' stroke-width='2.500' stroke-linejoin='round' stroke-linecap='round'/%3E%3C/svg%3E">
<link rel="stylesheet" href="/live.css">
<script type="module" src="/live.js"></script>
</head>
<body>

<header class="top">
  <h1><svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="9"/><path d="M6 17h4l3-8 5 14 3-6h5"/></svg>hubbub <span id="host" class="host"></span></h1>
  <p id="state" class="state">connecting</p>
  <button type="button" id="connect-now" class="quiet" hidden>Try now</button>
  <p id="draining" class="badge" hidden>draining</p>
  <button type="button" id="drain" class="quiet" hidden>Drain&hellip;</button>
</header>
<p id="notice" class="notice" role="status"></p>
<noscript><p class="notice">This page needs JavaScript: reports arrive over a WebSocket. <a href="/debug/hub">The same as JSON</a> does without.</p></noscript>

<main id="main" class="waits">
  <section aria-labelledby="why">
    <h2 id="why">Why is it slow?</h2>
    <p id="causes-said" class="visually-hidden" aria-live="polite"></p>
    <ol id="causes" class="causes"></ol>
  </section>

  <section aria-labelledby="now">
    <h2 id="now">Now, and the last five minutes</h2>
    <div id="tiles" class="tiles"></div>
  </section>

  <section aria-labelledby="shards-title">
    <h2 id="shards-title">Shards</h2>
    <div id="shards" class="table"></div>
  </section>

  <section aria-labelledby="sessions-title">
    <h2 id="sessions-title">Slowest consumers</h2>
    <form id="filter" class="filter">
      <label>User <input id="filter-user" autocomplete="off" autocapitalize="none" spellcheck="false"></label>
      <label>Address <input id="filter-address" autocomplete="off" autocapitalize="none" spellcheck="false"></label>
      <label>Label <input id="filter-label" autocomplete="off" autocapitalize="none" spellcheck="false"></label>
      <button type="submit" class="primary">Filter</button>
      <button type="reset" class="quiet">Show all</button>
    </form>
    <p id="filtered" class="small" hidden></p>
    <div id="sessions" class="table"></div>
  </section>

  <section aria-labelledby="topics-title">
    <h2 id="topics-title">Largest and busiest topics</h2>
    <div id="topics" class="table"></div>
  </section>

  <div class="pair">
    <section aria-labelledby="callbacks-title">
      <h2 id="callbacks-title">Callbacks</h2>
      <div id="callbacks" class="table"></div>
    </section>
    <section aria-labelledby="latency-title">
      <h2 id="latency-title">Latency</h2>
      <dl id="latency" class="facts"></dl>
    </section>
    <section aria-labelledby="dropped-title">
      <h2 id="dropped-title">Messages dropped</h2>
      <div id="dropped" class="table"></div>
    </section>
    <section aria-labelledby="refused-title">
      <h2 id="refused-title">Connections refused</h2>
      <div id="refused" class="table"></div>
    </section>
    <section aria-labelledby="memory-title">
      <h2 id="memory-title">Memory</h2>
      <div id="memory" class="table"></div>
    </section>
    <section aria-labelledby="totals-title">
      <h2 id="totals-title">Since it runs</h2>
      <dl id="totals" class="facts"></dl>
    </section>
    <section id="backplane-section" aria-labelledby="backplane-title" hidden>
      <h2 id="backplane-title">Backplane</h2>
      <dl id="backplane" class="facts"></dl>
    </section>
  </div>
</main>

<footer class="small">The same as JSON: <a href="/debug/hub">/debug/hub</a>, <a href="/debug/why">/debug/why</a></footer>

<dialog id="ask" aria-labelledby="ask-title" aria-describedby="ask-text">
  <form method="dialog">
    <h2 id="ask-title"></h2>
    <p id="ask-text"></p>
    <div class="buttons">
      <button id="ask-cancel" value="cancel" class="quiet" autofocus>Cancel</button>
      <button id="ask-do" value="do" class="danger"></button>
    </div>
  </form>
</dialog>

</body>
</html>
)page"},
    {"live.css", "text/css; charset=utf-8", R"page(/* Colours first: a light set, and a dark one for who prefers it. Text has a contrast of 4.5 or more on what it stands on. */
:root {
  color-scheme: light dark;
  --ground: #f3f4f8;
  --surface: #ffffff;
  --line: #dfe2ea;
  --field: #868ea1;
  --text: #191d28;
  --muted: #586073;
  --accent: #4f46e5;
  --accent-strong: #4338ca;
  --on-accent: #ffffff;
  --tint: #e6e6fb;
  --hover: #eceef4;
  --warn: #fff3d6;
  --on-warn: #6b4300;
  --bad: #fde7e6;
  --on-bad: #98170f;
  --full: #c8362c;
  --good: #16794a;
  --shadow: 0 1px 2px rgb(20 24 40 / 8%);
  font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, Cantarell, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #11131a;
    --surface: #191c25;
    --line: #2d3240;
    --field: #6f778b;
    --text: #e8eaf1;
    --muted: #9fa7b9;
    --accent: #a8adff;
    --accent-strong: #c3c6ff;
    --on-accent: #14162a;
    --tint: #2b2c4d;
    --hover: #242835;
    --warn: #3b2f12;
    --on-warn: #ffdc93;
    --bad: #43201f;
    --on-bad: #ffb9b3;
    --full: #ff8a80;
    --good: #6fd6a0;
    --shadow: 0 1px 2px rgb(0 0 0 / 40%);
  }
}

*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--ground); color: var(--text); -webkit-text-size-adjust: 100%; }
h1, h2, h3, p, ol, dl, dd { margin: 0; padding: 0; }
button, input { font: inherit; color: inherit; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.small { font-size: .8125rem; color: var(--muted); }
.visually-hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

/* Buttons and fields */
button { border: 1px solid transparent; border-radius: .5rem; background: none; cursor: pointer; padding: .4rem .8rem; font-weight: 550; min-height: 2.25rem; touch-action: manipulation; }
button:disabled { cursor: default; opacity: .55; }
.primary { background: var(--accent); color: var(--on-accent); }
.primary:hover { background: var(--accent-strong); }
.quiet { border-color: var(--line); color: var(--text); background: var(--surface); }
.quiet:hover:not(:disabled) { background: var(--hover); }
.danger { background: var(--bad); color: var(--on-bad); border-color: currentColor; }
input { background: var(--surface); border: 1px solid var(--field); border-radius: .5rem; padding: .4rem .6rem; min-height: 2.25rem; width: 100%; min-width: 0; }

/* The head */
.top { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .75rem; padding: .5rem max(1rem, env(safe-area-inset-right)) .5rem max(1rem, env(safe-area-inset-left)); background: var(--surface); border-bottom: 1px solid var(--line); min-height: 3.25rem; }
.top h1 { font-size: 1.0625rem; display: flex; align-items: center; gap: .5rem; letter-spacing: -.01em; min-width: 0; }
.mark { width: 1.6rem; height: 1.6rem; flex: none; }
.mark rect { fill: #4f46e5; }
.mark path { fill: none; stroke: #ffffff; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
.host { font-weight: 400; color: var(--muted); overflow: hidden; text-overflow: ellipsis; }
.state { display: flex; align-items: center; gap: .4rem; font-size: .875rem; color: var(--muted); margin-inline-end: auto; font-variant-numeric: tabular-nums; }
.state::before { content: ""; width: .6rem; height: .6rem; border-radius: 50%; background: var(--muted); flex: none; }
.state.open::before { background: var(--good); }
.state.lost, .state.quiet-hub { color: var(--on-bad); }
.state.lost::before, .state.quiet-hub::before { background: var(--full); }
.badge { background: var(--warn); color: var(--on-warn); border-radius: 1rem; padding: .1rem .7rem; font-size: .875rem; font-weight: 600; }
.notice:not(:empty) { background: var(--warn); color: var(--on-warn); padding: .5rem 1rem; }

/* The parts */
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; padding: 1rem; max-width: 84rem; margin: 0 auto; }
main.stale { opacity: .65; }
main.waits > :not(:first-child) { visibility: hidden; }
section { min-width: 0; }
h2 { font-size: 1rem; margin-bottom: .5rem; letter-spacing: -.005em; }
footer { padding: 0 1rem 1.5rem; max-width: 84rem; margin: 0 auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1.25rem; }

.causes { list-style: none; display: grid; gap: .5rem; }
.causes li { background: var(--surface); border: 1px solid var(--line); border-inline-start: 4px solid var(--field); border-radius: .625rem; padding: .6rem .9rem; box-shadow: var(--shadow); overflow-wrap: anywhere; }
.causes li:first-child { border-inline-start-color: var(--full); }
.causes.none li { border-inline-start-color: var(--good); }
.causes h3 { font-size: 1rem; display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; }
.remedy { color: var(--muted); font-size: .9rem; }

.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: .75rem; }
.tile { background: var(--surface); border: 1px solid var(--line); border-radius: .625rem; padding: .6rem .8rem; box-shadow: var(--shadow); display: flex; flex-direction: column; min-width: 0; }
.tile h3 { font-size: .8125rem; font-weight: 550; color: var(--muted); }
.figure { font-size: 1.5rem; font-weight: 650; line-height: 1.2; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.plot-frame { position: relative; margin-top: auto; padding-top: 1.1rem; }
.plot { display: block; width: 100%; height: 4rem; border-block: 1px solid var(--line); }
.plot .line { fill: none; stroke: var(--accent); stroke-width: 1.75; stroke-linejoin: round; }
.plot .area { fill: var(--tint); }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.scale { position: absolute; top: 0; right: 0; font-size: .6875rem; color: var(--muted); font-variant-numeric: tabular-nums; }

.bar { display: block; background: var(--hover); border-radius: 1rem; height: .3rem; min-width: 3rem; overflow: hidden; margin-top: .15rem; }
.bar > span { display: block; height: 100%; inline-size: 0; background: var(--accent); border-radius: 1rem; }
.bar.full > span { background: var(--full); }
.bar.weight { width: 5rem; margin: 0; }
.bar.wide { height: .5rem; margin-top: .75rem; }

.table { background: var(--surface); border: 1px solid var(--line); border-radius: .625rem; overflow-x: auto; box-shadow: var(--shadow); scrollbar-width: thin; }
.table > p { padding: .6rem .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: start; padding: .35rem .8rem; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: 400; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--muted); font-size: .8125rem; font-weight: 550; white-space: nowrap; }
tbody th { font-weight: 550; }
.value { overflow-wrap: anywhere; unicode-bidi: isolate; }
.number { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
td:not(.number, .action), tbody th { min-width: 5rem; max-width: 22rem; }
.action { position: sticky; right: 0; background: var(--surface); text-align: end; padding-block: .15rem; }
.action button { white-space: nowrap; min-height: 2rem; padding-block: .2rem; }

.filter { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin-bottom: .5rem; }
.filter label { flex: 1 1 9rem; max-width: 18rem; font-size: .8125rem; color: var(--muted); display: grid; gap: .15rem; }
.filter input { color: var(--text); font-size: 1rem; }
#filtered { margin-bottom: .5rem; overflow-wrap: anywhere; }

.facts { background: var(--surface); border: 1px solid var(--line); border-radius: .625rem; box-shadow: var(--shadow); font-size: .875rem; }
.facts div { display: flex; justify-content: space-between; gap: 1rem; padding: .35rem .8rem; border-bottom: 1px solid var(--line); }
.facts div:last-child { border-bottom: 0; }
.facts dt { color: var(--muted); }
.facts dd { text-align: end; font-variant-numeric: tabular-nums; }

dialog { background: var(--surface); color: inherit; border: 1px solid var(--line); border-radius: .875rem; padding: 1.25rem; width: min(27rem, calc(100vw - 2rem)); box-shadow: 0 8px 30px rgb(10 12 20 / 35%); overflow-wrap: anywhere; }
dialog::backdrop { background: rgb(10 12 20 / 45%); }
.buttons { display: flex; justify-content: flex-end; gap: .5rem; margin-top: 1rem; }

@media (max-width: 44rem) {
  main { padding: .75rem; gap: 1rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .5rem; }
  .tile { padding: .5rem .6rem; }
  .figure { font-size: 1.25rem; }
  .plot { height: 3rem; }
  .shown-wide { display: none; }
  th, td { padding-inline: .55rem; }
  .filter label { flex-basis: 8rem; max-width: none; }
  .host { display: none; }
}
@media (prefers-reduced-motion: no-preference) {
  .bar > span { transition: inline-size .3s ease-out; }
  main { transition: opacity .2s; }
}
@media (forced-colors: active) {
  .bar, .badge, .danger, .primary { border: 1px solid; }
  .bar > span { background: CanvasText; forced-color-adjust: none; }
}
)page"},
    {"live.js", "text/javascript; charset=utf-8", R"page(// The page: one connection, which comes back by itself, and what an operator asks of it.

import { $, milliseconds, set_text } from "./live_text.js";
import { make_sessions, show_report, show_sessions } from "./live_view.js";

const most_points = 300;
const first_pause = 500; // milliseconds
const longest_pause = 10_000;
const quiet_after = 3500; // without a report, which comes each second, something does not answer

let socket = null;
let acts = null; // whether this page may close and drain; null before it is known
let points = [];
let report = null;
let heard = 0; // when the last report came
let failures = 0;
let waits_until = 0;
let timer = 0;
let filter = null;

// ---- the connection

function connect() {
  clearTimeout(timer);
  waits_until = 0;
  const address = new URL("/", location.href); // with the query: a host may let in who knows one
  address.protocol = address.protocol.replace("http", "ws");
  address.search = location.search;
  socket = new WebSocket(address);
  socket.addEventListener("message", ({ data }) => hear(JSON.parse(data)));
  socket.addEventListener("close", lose);
  show_state();
}
/** Pages that lost the same server come back spread out: with full jitter. */
function lose() {
  socket = null;
  const pause = Math.max(first_pause, Math.random() * Math.min(longest_pause, first_pause * 2 ** ++failures));
  waits_until = Date.now() + pause;
  timer = setTimeout(connect, pause);
  show_state();
}
function show_state() {
  const is_open = socket?.readyState === WebSocket.OPEN;
  const silence = Date.now() - heard;
  const is_quiet = is_open && heard > 0 && silence > quiet_after;
  const left = Math.ceil((waits_until - Date.now()) / 1000);
  const text = is_quiet
    ? `no report for ${milliseconds(Math.floor(silence / 1000) * 1000)}: a loop does not answer`
    : is_open ? "connected" : waits_until && left > 0 ? `reconnecting in ${left}\u00a0s` : failures ? "reconnecting" : "connecting";
  set_text($.state, text);
  $.state.className = `state ${is_quiet ? "quiet-hub" : is_open ? "open" : "lost"}`;
  $.connect_now.hidden = !waits_until;
  $.main.classList.toggle("stale", !is_open || is_quiet);
}
setInterval(show_state, 1000);
$.connect_now.addEventListener("click", connect);
addEventListener("online", () => waits_until && connect());

const say = (message) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));

function hear(message) {
  if (message.type === "hello") return welcome(message);
  if (message.type === "history") points = message.points;
  if (message.type === "report") points = [...points, message.point].slice(-most_points);
  if (message.totals) return take(message); // a history before the first report has none
  if (message.type === "sessions" && filter) show_sessions(message.sessions);
  if (message.type === "done") tell(`Done: ${message.what}.`);
  if (message.type === "error") tell(`Refused: ${message.why}.`);
}
function welcome(hello) {
  failures = 0;
  if (acts !== hello.acts) make_sessions(hello.acts ? ask_to_close : null);
  acts = hello.acts;
  $.drain.hidden = !acts;
  if (filter) say(filter);
  show_state();
}
function take(newest) {
  report = newest;
  heard = Date.now();
  if (filter && newest.type === "report") say(filter);
  draw();
  show_state();
}
function draw() {
  if (!report || document.hidden) return;
  show_report(report, points, filter !== null);
  $.main.classList.remove("waits");
}
document.addEventListener("visibilitychange", draw);

let notice = 0;
function tell(text) {
  $.notice.textContent = text;
  clearTimeout(notice);
  notice = setTimeout(() => ($.notice.textContent = ""), 8000);
}

// ---- what an operator asks

/** `then` is called if that is confirmed. */
function ask(title, text, button, then) {
  $.ask_title.textContent = title;
  $.ask_text.textContent = text;
  $.ask_do.textContent = button;
  $.ask.returnValue = "cancel"; // what Escape leaves
  $.ask.onclose = () => $.ask.returnValue === "do" && then();
  $.ask.showModal();
}
const shown_of = ({ id, user, address }) => `${id}${user ? ` of ${user}` : ""}${address ? ` from ${address}` : ""}`;

function ask_to_close(session) {
  ask("Close this session?", `Session ${shown_of(session)} is told that an operator closed it (1008).`, "Close it",
    () => say({ type: "close", session: session.id }));
}
$.drain.addEventListener("click", () =>
  ask("Drain the whole hub?", "Nobody new is let in, and all sessions are closed, with what they were sent. This cannot be undone.", "Drain it",
    () => say({ type: "drain" })));

$.filter.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = Object.fromEntries(["user", "address", "label"].map((name) => [name, $[`filter_${name}`].value.trim()]).filter(([, value]) => value));
  if (!Object.keys(given).length) return show_all();
  filter = { type: "filter", ...given };
  set_text($.filtered, `Only sessions with ${Object.entries(given).map(([name, value]) => `${name} ${value}`).join(" and ")}`);
  $.filtered.hidden = false;
  say(filter);
});
$.filter.addEventListener("reset", show_all);
function show_all() {
  filter = null;
  $.filtered.hidden = true;
  draw();
}

$.host.textContent = location.host;
document.title = `${location.host} \u2013 hubbub live`;
connect();
)page"},
    {"live_plots.js", "text/javascript; charset=utf-8", R"page(// A line of the last five minutes, as SVG.

const minutes_shown = 5;
const width = 60 * minutes_shown; // one point a second
const height = 60;

const svg = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

/** The next 1, 2 or 5 of a power of ten: a scale that does not change with every point. */
function scale_for(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= most * 0.999) ?? most;
}

export class Plot {
  #area = svg("path", { class: "area" });
  #line = svg("path", { class: "line", "vector-effect": "non-scaling-stroke" });

  /** `least` is the smallest scale. */
  constructor(label, least) {
    this.label = label;
    this.least = least;
    this.element = svg("svg", { class: "plot", role: "img", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" });
    for (let x = 60; x < width; x += 60)
      this.element.append(svg("path", { class: "grid", d: `M${x} 0V${height}`, "vector-effect": "non-scaling-stroke" }));
    this.element.append(this.#area, this.#line);
  }

  /** Draws the newest of these; returns what its upper edge stands for. */
  show(values, text_of) {
    const shown = values.slice(-width);
    const most = Math.max(0, ...shown);
    const scale = scale_for(Math.max(most, this.least));
    const first = width - shown.length;
    const line = shown.map((value, at) => `${first + at} ${(height * (1 - Math.min(1, value / scale))).toFixed(1)}`).join("L");
    this.#line.setAttribute("d", shown.length ? `M${line}` : "");
    this.#area.setAttribute("d", shown.length ? `M${first} ${height}L${line}V${height}Z` : "");
    this.element.setAttribute("aria-label", `${this.label}, the last minutes: ${text_of(shown.at(-1) ?? 0)} now, ${text_of(most)} at most`);
    return scale;
  }
}
)page"},
    {"live_table.js", "text/javascript; charset=utf-8", R"page(// Tables whose rows keep their elements from one report to the next, and lists of facts.

import { element, set_text } from "./live_text.js";

/** A bar for a part between 0 and 1. */
export function bar(classes = "") {
  const made = element("span", `bar ${classes}`.trim());
  made.append(element("span"));
  return made;
}
/** `is_limit`: little room is left where it is nearly full. */
export function set_bar(bar, part, is_limit = true) {
  bar.firstChild.style.inlineSize = `${(Math.min(1, Math.max(0, part)) * 100).toFixed(1)}%`;
  bar.classList.toggle("full", is_limit && part > 0.85);
}

/** Columns are `{title, text(item)}`, with `number`, `part(item)` for a bar up to a limit or `share(item)` for one beside the others,
 * `shown_wide` for what a phone has no room for, or `make(row)` for an element in place of text; `row.item` is what the row shows now. */
export class Table {
  #body = element("tbody");

  /** In `frame`, which scrolls; `key_of(item)` tells items apart, `nothing` is said where there are none. */
  constructor(frame, label, columns, key_of, nothing) {
    Object.assign(this, { frame, columns, key_of });
    const head = element("tr");
    for (const column of columns) {
      const cell = element("th", this.#classes(column), column.title);
      cell.scope = "col";
      head.append(cell);
    }
    const thead = element("thead");
    thead.append(head);
    this.table = element("table");
    this.table.append(thead, this.#body);
    this.nothing = element("p", "small", nothing);
    frame.append(this.table, this.nothing);
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", label);
    frame.tabIndex = 0; // what scrolls has to be reached
  }

  show(items) {
    const focused = document.activeElement;
    const known = new Map([...this.#body.rows].map((row) => [row.dataset.key, row]));
    items.forEach((item, at) => {
      const key = String(this.key_of(item));
      const row = known.get(key) ?? this.#make_row(key);
      known.delete(key);
      this.#fill(row, item);
      if (this.#body.rows[at] !== row) this.#body.insertBefore(row, this.#body.rows[at] ?? null);
    });
    for (const row of known.values()) row.remove();
    this.table.hidden = !items.length;
    this.nothing.hidden = items.length > 0;
    // Who is moved loses the focus; where what had it is gone, who uses the keyboard goes on from the table.
    if (document.activeElement !== focused) (focused.isConnected ? focused : this.frame).focus({ preventScroll: true });
  }

  #classes({ number, shown_wide, make }) {
    return [number && "number", shown_wide && "shown-wide", make && "action"].filter(Boolean).join(" ");
  }
  #make_row(key) {
    const row = element("tr");
    row.dataset.key = key;
    for (const [at, column] of this.columns.entries()) {
      const cell = element(at ? "td" : "th", this.#classes(column));
      if (!at) cell.scope = "row";
      cell.append(column.make ? column.make(row) : element("span", "value"));
      if (column.part || column.share) cell.append(bar());
      row.append(cell);
    }
    return row;
  }
  #fill(row, item) {
    row.item = item;
    for (const [at, column] of this.columns.entries()) {
      const cell = row.cells[at];
      if (column.make) column.fill?.(cell.firstChild, item);
      else set_text(cell.firstChild, column.text(item));
      if (column.part) set_bar(cell.lastChild, column.part(item));
      if (column.share) set_bar(cell.lastChild, column.share(item), false);
    }
  }
}

/** Pairs of a name and a text in a `dl`. */
export function show_facts(list, facts) {
  while (list.children.length < facts.length) {
    const line = element("div");
    line.append(element("dt"), element("dd"));
    list.append(line);
  }
  for (const [at, [name, text]] of facts.entries()) {
    set_text(list.children[at].firstChild, name);
    set_text(list.children[at].lastChild, text);
  }
}
)page"},
    {"live_text.js", "text/javascript; charset=utf-8", R"page(// Elements, and numbers as text. Names of users and topics come from strangers: they are only ever put in as text.

/** `$.filter_user` is the element with the id "filter-user". */
export const $ = new Proxy({}, { get: (_, name) => document.getElementById(name.replaceAll("_", "-")) });

/** An element with classes and text. */
export function element(tag, classes = "", text = "") {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}

/** What is the same is left alone: it need not be laid out again. */
export function set_text(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** 0.4, 42, 1.2 k, 3.4 M. */
export function number(value) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (value >= size) return `${digits(value / size)}\u00a0${unit}`;
  return digits(value);
}
const digits = (value) => (value >= 99.95 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1));
export const per_second = (value) => `${number(value)}/s`;

/** Exactly, as long as it is short: 12,345. */
export const count = (value) => (value < 1e6 ? grouped.format(value) : number(value));
const grouped = new Intl.NumberFormat("en");

export function bytes(value) {
  for (const [size, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]])
    if (value >= size) return `${digits(value / size)}\u00a0${unit}`;
  return `${Math.round(value)}\u00a0B`;
}

export function milliseconds(value) {
  if (value >= 60_000) return `${Math.floor(value / 60_000)}\u00a0min ${Math.floor((value % 60_000) / 1000)}\u00a0s`;
  if (value >= 1000) return `${digits(value / 1000)}\u00a0s`;
  return value && value < 0.1 ? "< 0.1\u00a0ms" : `${digits(value)}\u00a0ms`;
}

/** Of a part between 0 and 1. */
export function percent(part) {
  if (part && part < 0.001) return "< 0.1\u00a0%";
  return `${part && part < 0.1 ? (part * 100).toFixed(1) : Math.round(part * 100)}\u00a0%`;
}
)page"},
    {"live_view.js", "text/javascript; charset=utf-8", R"page(// What a report says, shown.

import { Plot } from "./live_plots.js";
import { bar, set_bar, show_facts, Table } from "./live_table.js";
import { $, bytes, count, element, milliseconds, number, per_second, percent, set_text } from "./live_text.js";

// ---- why is it slow

const titles = {
  callbacks: "User code keeps a loop",
  slow_consumers: "Clients do not read",
  hot_topic: "One topic makes most of the deliveries",
  broker: "A broker is away, or does not keep up",
  memory: "The memory budget is used up",
  send_buffers: "Connections wait for room to send",
  descriptors: "The process has no more descriptors",
  loops: "The loops are busy with the hub\u2019s own work",
  starved: "The process does not get the processor",
};
const title_of = (cause) => titles[cause.name] ?? cause.name;

function make_cause() {
  const item = element("li");
  const heading = element("h3");
  heading.append(element("span"), bar("weight"));
  item.append(heading, element("p"), element("p", "remedy"));
  return item;
}
function show_causes(causes) {
  const list = $.causes;
  while (list.children.length > Math.max(1, causes.length)) list.lastChild.remove();
  while (list.children.length < Math.max(1, causes.length)) list.append(make_cause());
  list.classList.toggle("none", !causes.length);
  const shown = causes.length ? causes : [{ name: "", weight: 0, evidence: "It is not: no cause stands out in the last seconds.", remedy: "" }];
  for (const [at, cause] of shown.entries()) {
    const [heading, evidence, remedy] = list.children[at].children;
    list.children[at].dataset.cause = cause.name;
    heading.hidden = !cause.name;
    set_text(heading.firstChild, title_of(cause));
    set_bar(heading.lastChild, cause.weight);
    set_text(evidence, cause.evidence);
    set_text(remedy, cause.remedy ? `What helps: ${cause.remedy}` : "");
  }
  // Read out when another cause comes or goes, not with each new number.
  set_text($.causes_said, causes.length ? `Slow, because: ${causes.map(title_of).join("; ")}` : "Not slow");
}

// ---- tiles

class Tile {
  #value = element("p", "figure");
  #more = element("p", "small");
  #scale = element("span", "scale");

  /** `value(report)` is what it says, `more(report)` the line below; with `point`, the member of points that is plotted as `text`. */
  constructor({ title, value, more, part, point, text, least = 1 }) {
    Object.assign(this, { value, more, part, point, text });
    this.element = element("div", "tile");
    this.element.append(element("h3", "", title), this.#value, this.#more);
    if (part) this.element.append((this.bar = bar("wide")));
    if (!point) return;
    this.plot = new Plot(title, least);
    const figure = element("div", "plot-frame");
    figure.append(this.plot.element, this.#scale);
    this.element.append(figure);
  }
  show(report, points) {
    set_text(this.#value, this.value(report));
    set_text(this.#more, this.more?.(report) ?? "");
    if (this.part) set_bar(this.bar, this.part(report));
    if (this.plot) set_text(this.#scale, this.text(this.plot.show(points.map((each) => each[this.point]), this.text)));
  }
}

const sum = (parts) => Object.values(parts).reduce((all, each) => all + each, 0);
const tiles = [
  { title: "Sessions", value: ({ totals }) => count(totals.sessions), more: ({ rates }) => `${per_second(rates.opened)} come, ${per_second(rates.closed)} go`,
    point: "sessions", text: number, least: 10 },
  { title: "Received", value: ({ rates }) => per_second(rates.received), more: ({ rates }) => per_second_bytes(rates.received_bytes),
    point: "received", text: per_second, least: 10 },
  { title: "Published", value: ({ rates }) => per_second(rates.published), more: ({ rates }) => `${per_second(rates.deliveries)} deliveries`,
    point: "published", text: per_second, least: 10 },
  { title: "Written", value: ({ rates }) => per_second(rates.written), more: ({ rates }) => per_second_bytes(rates.written_bytes),
    point: "written", text: per_second, least: 10 },
  { title: "Dropped", value: ({ rates }) => per_second(sum(rates.dropped)), more: ({ totals }) => `${count(totals.pending)} messages wait`,
    point: "dropped", text: per_second, least: 10 },
  { title: "Busiest loop", value: ({ point }) => percent(point.busy), more: ({ shards }) => `of ${shards.length}`,
    point: "busy", text: percent, least: 1 },
  { title: "Loop lag", value: ({ point }) => milliseconds(point.lag_ms), more: ({ latency }) => `${milliseconds(latency.lag_p99_ms)} for 99 %`,
    point: "lag_ms", text: milliseconds, least: 10 },
  { title: "Memory of the budget", value: ({ memory }) => bytes(memory.used), more: ({ memory }) => `of ${bytes(memory.limit)}, nobody new above ${bytes(memory.high)}`,
    part: ({ memory }) => memory.used / memory.limit },
].map((each) => new Tile(each));
const per_second_bytes = (value) => `${bytes(value)}/s`;

// ---- tables

const share_of = (items, value_of) => {
  const most = Math.max(1, ...items.map(value_of));
  return (item) => value_of(item) / most;
};
let share_of_queue, share_of_rate, share_of_memory;

const shards = new Table($.shards, "Shards", [
  { title: "Loop", text: ({ index }) => String(index) },
  { title: "Busy", number: true, text: ({ busy }) => percent(busy), part: ({ busy }) => busy },
  { title: "Lag", number: true, text: ({ lag_ms }) => milliseconds(lag_ms) },
  { title: "Turn, 99 %", number: true, text: ({ turn_p99_ms }) => milliseconds(turn_p99_ms) },
  { title: "Sessions", number: true, text: ({ sessions }) => count(sessions) },
  { title: "Handshakes", number: true, shown_wide: true, text: ({ handshakes }) => count(handshakes) },
  { title: "Pending", number: true, text: ({ pending }) => count(pending) },
], ({ index }) => index, "None is known yet.");

/** `close(session)` is called for who presses the button, which only who may act has. */
let sessions = null;
export function make_sessions(close) {
  sessions?.frame.replaceChildren();
  const columns = [
    { title: "Session", text: ({ id }) => id },
    { title: "User", text: ({ user }) => user },
    { title: "Queued", number: true, text: ({ queued_bytes }) => bytes(queued_bytes), share: (item) => share_of_queue(item) },
    { title: "Messages", number: true, shown_wide: true, text: ({ queued_messages }) => count(queued_messages) },
    { title: "Stands still", number: true, text: ({ stalled_ms }) => (stalled_ms ? milliseconds(stalled_ms) : "") },
    { title: "Address", text: ({ address }) => address },
    { title: "Labels", shown_wide: true, text: ({ labels }) => labels.join(", ") },
    { title: "Written", number: true, shown_wide: true, text: ({ written }) => count(written) },
    { title: "Dropped", number: true, text: ({ dropped }) => count(dropped) },
  ];
  if (close)
    columns.push({
      title: "",
      make(row) {
        const button = element("button", "quiet", "Close\u2026");
        button.type = "button";
        button.addEventListener("click", () => close(row.item));
        return button;
      },
      fill: (button, { id, user }) => button.setAttribute("aria-label", `Close session ${id}${user ? ` of ${user}` : ""}`),
    });
  sessions = new Table($.sessions, "Slowest consumers", columns, ({ id }) => id, "There is no such session.");
}
export function show_sessions(items) {
  share_of_queue = share_of(items, ({ queued_bytes }) => queued_bytes);
  sessions?.show(items);
}

const topics = new Table($.topics, "Topics", [
  { title: "Topic", text: ({ name }) => name },
  { title: "Members", number: true, text: ({ members }) => count(members) },
  { title: "Published", number: true, text: ({ rate }) => per_second(rate) },
  { title: "Deliveries", number: true, text: ({ rate, members }) => per_second(rate * members), share: (item) => share_of_rate(item) },
  { title: "In all", number: true, shown_wide: true, text: ({ published }) => count(published) },
  { title: "Dropped", number: true, text: ({ dropped }) => count(dropped) },
], ({ name }) => name, "There are no topics.");

const callbacks = new Table($.callbacks, "Callbacks", [
  { title: "Hook", text: ({ name }) => name },
  { title: "Calls", number: true, text: ({ calls }) => per_second(calls) },
  { title: "Of a loop", number: true, text: ({ busy }) => percent(busy), part: ({ busy }) => busy },
  { title: "Slow", number: true, text: ({ slow }) => count(slow) },
], ({ name }) => name, "None was called in the last second.");

const reasons = (frame, label) => new Table(frame, label, [
  { title: "Reason", text: ({ name }) => name.replaceAll("_", " ") },
  { title: "Per second", number: true, text: ({ value }) => number(value) },
], ({ name }) => name, "None.");
const dropped = reasons($.dropped, "Messages dropped, by reason");
const refused = reasons($.refused, "Connections refused, by reason");

const memory = new Table($.memory, "Memory, by part", [
  { title: "Part", text: ({ name }) => name },
  { title: "Bytes", number: true, text: ({ value }) => bytes(value), share: (item) => share_of_memory(item) },
], ({ name }) => name, "None.");

const pairs_of = (object) => Object.entries(object).map(([name, value]) => ({ name, value }));

export function show_report(report, points, is_filtered) {
  show_causes(report.causes);
  for (const tile of tiles) tile.show(report, points);
  shards.show(report.shards.map((shard, index) => ({ index, ...shard })));
  if (!is_filtered) show_sessions(report.sessions);
  share_of_rate = share_of(report.topics, ({ rate, members }) => rate * members);
  topics.show(report.topics);
  callbacks.show(Object.entries(report.callbacks).map(([name, counts]) => ({ name, ...counts })));
  dropped.show(pairs_of(report.rates.dropped));
  refused.show(pairs_of(report.rates.refused));
  const parts = pairs_of(report.memory.parts);
  share_of_memory = share_of(parts, ({ value }) => value);
  memory.show(parts);
  const { latency, totals, backplane } = report;
  show_facts($.latency, [
    ["from publication to write, 99 %", milliseconds(latency.fan_out_p99_ms)],
    ["handshake, 99 %", milliseconds(latency.handshake_p99_ms)],
    ["loop lag, 99 %", milliseconds(latency.lag_p99_ms)],
    ["round trip of pings, the worst shard", milliseconds(latency.round_trip_ms)],
  ]);
  show_facts($.totals, [
    ["sessions opened", count(totals.opened)],
    ["sessions closed", count(totals.closed)],
    ["subscriptions now", count(totals.subscriptions)],
    ["ended for want of memory", count(totals.shed)],
    ["times beyond a rate", count(totals.throttled)],
    ["callbacks that threw", count(totals.callbacks_threw)],
  ]);
  $.backplane_section.hidden = !backplane.brokers;
  show_facts($.backplane, [
    ["state", backplane.continuous ? "continuous" : "interrupted"],
    ["brokers there", `${backplane.ready} of ${backplane.brokers}`],
    ["away for longer than patience", count(backplane.apart)],
    ["acknowledged", per_second(backplane.published)],
    ["received", per_second(backplane.received)],
    ["waiting", `${count(backplane.waiting_messages)}, ${bytes(backplane.waiting_bytes)}`],
    ["lost so far", count(backplane.losses)],
  ]);
  $.draining.hidden = !report.draining;
  $.drain.disabled = report.draining;
}

for (const tile of tiles) $.tiles.append(tile.element);
)page"},
};
// clang-format on

}  // namespace hubbub::inline v0
