// Where one writes.

import { $ } from "./dom.js";
import { length } from "./text.js";

let most = 1000;

/** `type()` is called while something is written, `say(text)` with what was. */
export function use_composer({ type, say }) {
  $.text.addEventListener("input", () => {
    fit_text();
    if ($.text.value.trim()) type();
  });
  $.text.addEventListener("keydown", (event) => {
    // Enter that ends the composition of a character is not meant for the message.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $.composer.requestSubmit();
  });
  $.composer.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $.text.value.trim();
    if (!text) return;
    if (length(text) > most) return tell(`A message has at most ${most} characters.`);
    tell("");
    write("");
    say(text);
  });
}
export function limit_text(characters) {
  most = characters;
}
/** Puts a text there. */
export function write(text) {
  $.text.value = text;
  fit_text();
}
export function fit_text() {
  $.text.style.height = "";
  $.text.style.overflowY = "";
  $.count.hidden = true;
  if (!$.text.value) return; // nothing to measure, which would lay out the whole page
  $.text.style.height = `${$.text.scrollHeight + 2}px`;
  $.text.style.overflowY = $.text.scrollHeight > 144 ? "auto" : "hidden";
  const left = most - length($.text.value.trim());
  $.count.hidden = left > most / 10;
  $.count.textContent = left < 0 ? `${-left} too many` : `${left} left`;
  $.count.classList.toggle("over", left < 0);
}

let told = 0;
/** What went wrong, above the field. */
export function tell(problem) {
  $.problem.textContent = problem;
  clearTimeout(told);
  if (problem) told = setTimeout(tell, 8000, "");
}
addEventListener("keydown", (event) => event.key === "Escape" && tell(""));
