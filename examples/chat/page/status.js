// What the page says about its connection; coming back is the client's business.

import { $ } from "./dom.js";

/** Why a connection ended, by close code: RFC 6455 7.4.1 and the registry. */
const passing = {
  1001: "The server is going away.",
  1011: "The server had a problem.",
  1012: "The server starts again.",
  1013: "The server is busy, or this page was too slow for it.",
};
const final = {
  1002: "this page broke the protocol",
  1003: "this page sent what the server does not take",
  1007: "this page sent what the server does not take",
  1008: "the server has ended it",
  1009: "this page sent a message that is too long",
};

let now = { state: "idle" };
let is_again = false; // it was lost before
let countdown = 0;

/** With a state of the client: `{state, code, reason, delay}`. */
export function show_state(state) {
  now = { ...state, until: Date.now() + (state.delay ?? 0) };
  if (state.state === "connected" || state.state === "idle") is_again = false;
  if (state.state === "waiting") is_again = true;
  show();
}

function show() {
  const is_offline = now.state === "waiting" && navigator.onLine === false;
  const is_over = now.state === "closed";
  const tells = {
    connecting: is_again ? "Connecting again." : "",
    waiting: is_offline ? "You are offline. The chat goes on when the network is back." : `${passing[now.code] ?? "The connection was lost."} Trying again soon.`,
    closed: `The connection was closed: ${now.reason || final[now.code] || "it has ended"}.`,
  };
  const text = tells[now.state] ?? "";
  const labels = { idle: "", connecting: "connecting", connected: "connected" };
  $.connection.textContent = is_offline ? "offline" : (labels[now.state] ?? "not connected");
  $.connection.classList.toggle("open", now.state === "connected");
  $.status.hidden = !text;
  if (text) $.status_text.textContent = text;
  $.status.classList.toggle("ended", is_over);
  $.connect_now.textContent = is_over ? "Connect again" : "Try now";
  $.connect_now.hidden = is_offline || (now.state !== "waiting" && !is_over);
  show_when(is_offline);
}
/** How long until it is tried again: to be seen, not to be read out every second. */
function show_when(is_offline) {
  clearTimeout(countdown);
  const seconds = now.state === "waiting" && !is_offline ? Math.ceil((now.until - Date.now()) / 1000) : 0;
  const shows = seconds > 1 && Number.isFinite(seconds);
  $.status_when.textContent = shows ? `${seconds} s` : "";
  if (shows) countdown = setTimeout(show_when, 500, is_offline);
}
for (const event of ["online", "offline"]) addEventListener(event, show);
