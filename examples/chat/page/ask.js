// The dialog that asks for a name.

import { $ } from "./dom.js";

let answer = null;

/** `answered(value)` says what is wrong, if something is: the dialog stays until nothing is. It may take its time. */
export function ask(title, label, button, value, answered) {
  answer = answered;
  $.ask_title.textContent = title;
  $.ask_label.textContent = label;
  $.ask_do.textContent = button;
  $.ask_value.value = value;
  show_problem("");
  $.ask.showModal();
  $.ask_value.select();
}
function show_problem(text) {
  $.ask_problem.textContent = text;
  text ? $.ask_value.setAttribute("aria-invalid", "true") : $.ask_value.removeAttribute("aria-invalid");
}
$.ask_cancel.addEventListener("click", () => $.ask.close());
$.ask_form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const asked = answer;
  show_problem("");
  const value = $.ask_value.value.trim();
  const problem = value ? await asked(value) : "Please write a name.";
  if (asked !== answer || !$.ask.open) return;
  problem ? show_problem(problem) : $.ask.close();
});
