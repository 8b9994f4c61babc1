// The log's end: it stays in sight for who is there, and whoever reads further up is shown that there is more. And when the log is
// read out.

import { $ } from "./dom.js";

let is_at_end = true;
let below = 0; // messages that came while somebody reads further up
let frame = 0;

function set_at_end(holds) {
  is_at_end = holds;
  $.log.classList.toggle("follows", holds);
}
export function scroll_to_end() {
  $.log.scrollTop = $.log.scrollHeight;
  set_at_end(true);
  below = 0;
  $.to_end.hidden = true;
}
/** Once for all that came since the last picture; not at all while nobody looks. */
function keep_end_in_sight() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    scroll_to_end();
  });
}
/** A line has come. Whoever speaks sees what he says. */
export function line_added(line) {
  if (line.classList.contains("own")) set_at_end(true);
  if (is_at_end) return keep_end_in_sight();
  if (line.classList.contains("message")) ++below;
  show_way();
}
function show_way() {
  $.to_end.hidden = false;
  $.to_end.textContent = below ? `${below} new \u2193` : "To the newest \u2193";
}

let hushed = 0;
/** The lines of another room, and those of the past, are no news: they are not to be read out one by one. */
export function hush() {
  $.log.setAttribute("aria-live", "off");
  clearTimeout(hushed);
  hushed = setTimeout(() => $.log.setAttribute("aria-live", "polite"), 500);
}

$.log.addEventListener("scroll", () => {
  if (frame || size !== size_of_log()) return; // it will be at the end, or is resized
  set_at_end($.log.scrollHeight - $.log.scrollTop - $.log.clientHeight < 60);
  if (is_at_end) {
    below = 0;
    $.to_end.hidden = true;
  } else if ($.to_end.hidden) {
    show_way();
  }
});
$.to_end.addEventListener("click", () => {
  scroll_to_end();
  $.text.focus();
});
const size_of_log = () => `${$.log.clientWidth} ${$.log.clientHeight}`;
let size = "";
new ResizeObserver(() => {
  size = size_of_log();
  if (is_at_end) scroll_to_end();
}).observe($.log);
