// One room: who is in it, and the lines that its log shows.

import { avatar, day, element, hue, linked, time } from "./text.js";

const most_lines = 500; // older ones go, so that a page that stays open for a week stays small
const pause_between_groups = 5 * 60_000;
const typing_lasts = 5_000;

export class Room {
  /** `changed()` is called when something shows differently that is not in the log. */
  constructor(name, changed) {
    this.name = name;
    this.changed = changed;
    this.own = 0; // the number of this page's own member
    this.version = 0;
    this.members = new Map(); // number -> name
    this.typing = new Map(); // number -> timer
    this.unread = 0;
    this.is_joined = false;
    this.draft = "";
    this.typing_told = 0;
    this.#make_element();
  }

  #make_element() {
    const empty = element("p", "empty");
    empty.append(element("strong", "", `Welcome to #${this.name}`), "Nobody has said anything since you joined. Say hello!");
    this.list = element("ol");
    this.element = element("div", "lines");
    this.element.append(empty, this.list);
  }

  // ---- members
  //
  // A change is one step of the room's version. Changes of different members may come in another order than they were made;
  // each member's own come in order, and a list says which changes it holds. So a change applies unless the list had it already.

  enter(own, version, members) {
    this.own = own;
    this.is_joined = true;
    this.set_members(version, members);
  }
  set_members(version, members) {
    this.version = version;
    this.members = new Map(members.map((each) => [each.id, each.name]));
    for (const id of this.typing.keys()) if (!this.members.has(id)) this.#stops_typing(id);
    this.changed();
  }
  came({ version, id, name }, date) {
    if (!this.#is_news(version)) return;
    this.members.set(id, name);
    this.add_system(`${name} joined`, date);
    this.changed();
  }
  went({ version, id, name }, date) {
    if (!this.#is_news(version)) return;
    this.members.delete(id);
    this.#stops_typing(id);
    this.add_system(`${name} left`, date);
    this.changed();
  }
  renamed({ version, id, name, before }, date) {
    if (!this.#is_news(version)) return;
    this.members.set(id, name);
    this.add_system(id === this.own ? `You are now ${name}` : `${before} is now ${name}`, date);
    this.changed();
  }
  /** The list has it not. Without a list, one is under way that will have it. */
  #is_news(version) {
    return this.is_joined && version > this.version;
  }
  get own_name() {
    return this.members.get(this.own) ?? "";
  }
  sorted_members() {
    return [...this.members].sort(([, left], [, right]) => left.localeCompare(right));
  }

  // ---- typing

  is_typing(id) {
    if (id === this.own || !this.members.has(id)) return;
    clearTimeout(this.typing.get(id));
    this.typing.set(id, setTimeout(() => (this.#stops_typing(id), this.changed()), typing_lasts));
    this.changed();
  }
  #stops_typing(id) {
    clearTimeout(this.typing.get(id));
    this.typing.delete(id);
  }
  typing_text() {
    const names = [...this.typing.keys()].map((id) => this.members.get(id));
    if (names.length === 0) return "";
    if (names.length === 1) return `${names[0]} is typing\u2026`;
    if (names.length === 2) return `${names[0]} and ${names[1]} are typing\u2026`;
    return "Several people are typing\u2026";
  }
  forget_typing() {
    for (const id of [...this.typing.keys()]) this.#stops_typing(id);
  }

  // ---- lines

  add_message(id, name, text, date) {
    if (this.typing.has(id)) {
      this.#stops_typing(id);
      this.changed();
    }
    this.#add_day(date);
    const before = this.list.lastElementChild;
    const follows = before?.author === id && before.author_name === name && date - before.date < pause_between_groups;
    const line = element("li", `message last ${hue(name)}`);
    line.classList.toggle("own", id === this.own);
    line.classList.toggle("first", !follows);
    if (follows) before.classList.remove("last");
    Object.assign(line, { author: id, author_name: name, date });
    const bubble = element("div", "bubble");
    const said = element("span", "said");
    said.append(linked(text));
    const block = element("div", "text");
    block.dir = "auto";
    block.append(said, time(date));
    bubble.append(element("span", "name", name), block);
    line.append(avatar(name), bubble);
    this.#add(line);
  }
  add_system(text, date, is_notable = false) {
    this.#add_day(date);
    const line = element("li", is_notable ? "system notable" : "system");
    line.append(element("span", "", text), time(date));
    this.#add(line);
  }

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
  #add(line) {
    this.list.append(line);
    while (this.list.childElementCount > most_lines) this.list.firstElementChild.remove();
    if (this.mark && !this.list.contains(this.mark)) this.mark = null;
    const top = this.list.firstElementChild;
    if (top.author) top.classList.add("first");
  }
}
