// The page: one connection, which comes back by itself, and what an operator asks of it.

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
