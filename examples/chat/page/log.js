// The lines of one room: what was said, who came and went, and below them what is still on its way to the server.

import { avatar, day, element, hue, linked, time } from "./text.js";

const most_lines = 500; // older ones go, so that a page that stays open for a week stays small
const pause_between_groups = 5 * 60_000;

export class Log {
  #ids = new Set(); // of the messages that are shown
  #pending = new Map(); // id -> {line, text, state}: not confirmed, or confirmed and not heard yet

  /** `added(line)` is called for each line that comes in below. */
  constructor(room, added) {
    this.added = added;
    const empty = element("p", "empty");
    empty.append(element("strong", "", `Welcome to #${room}`), "Nobody has said anything here since yesterday. Say hello!");
    this.list = element("ol");
    this.pending = element("ol", "pending");
    this.pending.setAttribute("aria-live", "off"); // it is read out when it is there
    this.element = element("div", "lines");
    this.element.append(empty, this.list, this.pending);
  }

  has(id) {
    return this.#ids.has(id);
  }
  get last_date() {
    return this.list.lastElementChild?.date;
  }

  add_message({ id, session, name, text, date, is_own }) {
    this.#forget_pending(id);
    this.#ids.add(id);
    this.#add_day(date);
    const before = this.list.lastElementChild;
    const follows = before?.author === session && before.author_name === name && date - before.date < pause_between_groups;
    if (follows) before.classList.remove("last");
    const line = this.#line(name, text, is_own, !follows, time(date));
    Object.assign(line, { id_of_message: id, author: session, author_name: name, date });
    this.#add(line);
  }
  add_system(text, date, is_notable = false) {
    this.#add_day(date);
    const line = element("li", is_notable ? "system notable" : "system");
    line.append(element("span", "", text), time(date));
    line.date = date;
    this.#add(line);
  }

  // ---- what this page says

  add_pending(id, text) {
    const state = element("span", "state");
    const line = this.#line("", text, true, true, state);
    this.#pending.set(id, { line, text, state, is_sent: false });
    this.pending.append(line);
    this.added(line);
  }
  sending(id) {
    this.#show_state(id, "sending", "sending\u2026");
  }
  /** It has its place; the room says it to this page, too. */
  sent(id) {
    this.#show_state(id, "sent", "");
  }
  failed(id, why, again) {
    const buttons = [
      ["Try again", again],
      ["Discard", () => this.#forget_pending(id)],
    ].map(([label, action]) => {
      const button = element("button", "", label);
      button.type = "button";
      button.addEventListener("click", action);
      return button;
    });
    const choice = element("span", "choice");
    choice.append(...buttons);
    this.#show_state(id, "failed", `Not sent: ${why} `, choice);
  }
  #show_state(id, kind, ...shown) {
    const pending = this.#pending.get(id);
    if (!pending) return; // it was heard before it was confirmed
    pending.line.classList.remove("sending", "sent", "failed");
    pending.line.classList.add(kind);
    pending.state.replaceChildren(...shown);
    pending.is_sent = kind === "sent";
  }
  #forget_pending(id) {
    this.#pending.get(id)?.line.remove();
    this.#pending.delete(id);
  }
  /** What was confirmed and can't be heard any more stays as it is. */
  settle(session, name) {
    for (const [id, { text, is_sent }] of [...this.#pending])
      if (is_sent) this.add_message({ id, session, name, text, date: new Date(), is_own: true });
  }

  // ---- marks

  /** Everything from here on has not been read. */
  add_unread_mark() {
    if (this.mark) return;
    this.mark = element("li", "unread-mark", "New");
    this.#add(this.mark);
  }
  remove_unread_mark() {
    this.mark?.remove();
    this.mark = null;
  }
  #add_day(date) {
    if (this.day === date.toDateString()) return;
    this.day = date.toDateString();
    this.#add(element("li", "day", day(date)));
  }

  #line(name, text, is_own, is_first, when) {
    const line = element("li", `message last ${hue(name)}`);
    line.classList.toggle("own", is_own);
    line.classList.toggle("first", is_first);
    const said = element("span", "said");
    said.append(linked(text));
    const block = element("div", "text");
    block.dir = "auto";
    block.append(said, when);
    const bubble = element("div", "bubble");
    bubble.append(element("span", "name", name), block);
    line.append(avatar(name), bubble);
    return line;
  }
  #add(line) {
    this.list.append(line);
    while (this.list.childElementCount > most_lines) {
      const oldest = this.list.firstElementChild;
      this.#ids.delete(oldest.id_of_message);
      oldest.remove();
    }
    if (this.mark && !this.list.contains(this.mark)) this.mark = null;
    const top = this.list.firstElementChild;
    if (top.author) top.classList.add("first");
    this.added(line);
  }
}
