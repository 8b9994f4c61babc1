// The panels of a narrow window: rooms at the left, members at the right.

import { $ } from "./dom.js";

const panels = [
  [$.show_rooms, $.rooms_panel],
  [$.show_members, $.members_panel],
];
export function close_panels() {
  for (const [button, panel] of panels) {
    if (!panel.classList.contains("open")) continue;
    const had_focus = panel.contains(document.activeElement);
    panel.classList.remove("open");
    button.setAttribute("aria-expanded", "false");
    if (had_focus) button.focus();
  }
  $.scrim.hidden = true;
}
for (const [button, panel] of panels) {
  button.addEventListener("click", () => {
    close_panels();
    panel.classList.add("open");
    button.setAttribute("aria-expanded", "true");
    $.scrim.hidden = false;
    panel.tabIndex = -1;
    panel.focus();
  });
}
$.scrim.addEventListener("click", close_panels);
for (const button of document.querySelectorAll("[data-closes]")) button.addEventListener("click", close_panels);
addEventListener("keydown", (event) => event.key === "Escape" && close_panels());
matchMedia("(max-width: 62rem)").addEventListener("change", close_panels);
