// One room: what is said in it, who is there and who is typing. The protocol is in protocol.md.

import { Log } from "./log.js";
import { clock, draw_name } from "./text.js";

const remembered = 100; // messages that are asked for, of those that the server has
const typing_lasts = 5_000;
const between_typing = 3_000;
const most_lines = 3; // about who came and went, at once

/** Who has signed in is a user; the others have a label that says what they are called. */
const name_of = ({ user, labels = [] }) => user ?? labels.find((each) => each.startsWith("name:"))?.slice(5) ?? "Somebody";

export class Room {
  /**
   * `page` knows what this page is: session, name, began, is_own(id), claim(id), is_shown(room).
   * It is told: changed(room), when something shows differently that is not in the log; added(room, line); unread(room);
   * refused(room, problem); recalls(room), before the room's past is added.
   */
  constructor(name, page) {
    this.name = name;
    this.page = page;
    this.members = new Map(); // session -> name
    this.count = 0; // there may be more than are known by name
    this.typing = new Map(); // session -> {name, timer}
    this.unread = 0;
    this.draft = "";
    this.typing_told = 0;
    this.log = new Log(name, (line) => page.added(this, line));
  }

  get is_joined() {
    return this.said?.state === "subscribed";
  }

  /** Over this connection, from where it was before. */
  enter(hub) {
    this.hub = hub;
    this.said = hub.subscribe(`room/${this.name}`, { since: this.said?.position, newest: remembered });
    this.said.on("subscribed", (how) => this.#entered(how));
    this.said.on("publication", ({ data }) => this.#hear(data));
    this.said.on("presence", (change) => this.#tell_change(change));
    this.said.on("error", (problem) => this.page.refused(this, problem));
    this.types = hub.subscribe(`typing/${this.name}`);
    this.types.on("publication", ({ data }) => this.#is_typing(data));
  }
  leave() {
    this.#forget_typing();
    for (const each of [this.said, this.types]) each?.unsubscribe().catch(() => {});
  }
  /** There is no connection now. */
  away() {
    this.away_since ??= new Date();
    this.#forget_typing();
  }

  #entered({ first, recovered }) {
    if (first) this.page.recalls(this);
    if (!first && !recovered) {
      const [from, to] = [this.away_since ?? this.log.last_date ?? new Date(), new Date()].map((each) => clock.format(each));
      this.log.add_system(`Messages between ${from} and ${to} could not be recovered.`, new Date(), true);
      this.log.settle(this.page.session, this.page.name);
    }
    this.away_since = null;
    this.knows_members = false;
    this.#ask_members();
    this.page.changed(this);
  }

  // ---- what is said

  #hear({ id, session, name, text, time }) {
    this.#stops_typing(session);
    if (this.log.has(id)) return;
    const date = new Date(time);
    const is_own = this.page.is_own(id);
    if (!is_own && date > this.page.began && !this.page.is_shown(this)) {
      if (!this.unread++) this.log.add_unread_mark();
      this.page.unread(this);
    }
    this.log.add_message({ id, session, name, text, date, is_own });
  }

  /** It is shown at once, and stays until it has its place in the room; the client says it again if the connection is lost. */
  say(text) {
    const id = draw_name();
    this.typing_told = 0;
    this.page.claim(id);
    this.log.add_pending(id, text);
    this.#deliver(id, text);
  }
  async #deliver(id, text) {
    this.log.sending(id);
    try {
      await this.hub.publish(`room/${this.name}`, { id, text }, { idempotency: id, timeout: 0 });
      this.log.sent(id);
    } catch (problem) {
      this.log.failed(id, problem.message, () => this.#deliver(id, text));
    }
  }

  // ---- members: a list that is asked for, and changes that are told

  async #ask_members() {
    const said = this.said;
    try {
      const { members, sessions } = await said.members({ limit: 100 });
      if (said !== this.said) return;
      this.members = new Map(members.map((each) => [each.session, name_of(each)]));
      this.count = sessions;
      this.knows_members = true;
      this.page.changed(this);
    } catch {
      // The connection was lost; it is asked again on the next one.
    }
  }
  #tell_change({ entered, left, untold, sessions }) {
    if (!this.knows_members) return; // the list is under way
    const before = new Set(this.members.values());
    const renamed = [];
    for (const { session } of left) {
      this.members.delete(session);
      this.#stops_typing(session);
    }
    for (const member of entered) {
      const name = name_of(member);
      const old = this.members.get(member.session);
      if (old && old !== name) renamed.push([member.session, old, name]);
      this.members.set(member.session, name);
    }
    this.count = sessions;
    if (untold) this.#ask_members();
    const after = new Set(this.members.values());
    for (const [session, old, name] of renamed) {
      this.#tell(session === this.page.session ? `You are now ${name}` : `${old} is now ${name}`);
      before.add(name);
      after.add(old);
    }
    // By name: who was cut off, and is back under another session, has neither come nor gone.
    this.#tell_names([...after].filter((name) => !before.has(name)), "joined");
    this.#tell_names([...before].filter((name) => !after.has(name)), "left");
    this.page.changed(this);
  }
  #tell_names(names, what) {
    if (names.length > most_lines) this.#tell(`${names.length} people ${what}`);
    else for (const name of names) this.#tell(`${name} ${what}`);
  }
  #tell(text) {
    this.log.add_system(text, new Date());
  }
  /** [session, name, its number if others have that name too] in the order of names. */
  sorted_members() {
    const known = [...this.members].sort(([a, left], [b, right]) => left.localeCompare(right) || (a < b ? -1 : 1));
    const seen = new Map();
    for (const [, name] of known) seen.set(name, (seen.get(name) ?? 0) + 1);
    return known.map(([session, name]) => [session, name, seen.get(name) > 1]);
  }

  // ---- typing

  /** The field has changed. */
  type() {
    if (!this.is_joined || Date.now() - this.typing_told < between_typing) return;
    this.typing_told = Date.now();
    this.hub.publish(`typing/${this.name}`, null, { once: true }).catch(() => {}); // nobody needs to know it later
  }
  #is_typing({ session, name }) {
    clearTimeout(this.typing.get(session)?.timer);
    this.typing.set(session, { name, timer: setTimeout(() => this.#stops_typing(session), typing_lasts) });
    this.page.changed(this);
  }
  #stops_typing(session) {
    const typing = this.typing.get(session);
    if (!typing) return;
    clearTimeout(typing.timer);
    this.typing.delete(session);
    this.page.changed(this);
  }
  #forget_typing() {
    for (const session of [...this.typing.keys()]) this.#stops_typing(session);
  }
  typing_text() {
    const names = [...this.typing.values()].map(({ name }) => name);
    if (names.length === 0) return "";
    if (names.length === 1) return `${names[0]} is typing\u2026`;
    if (names.length === 2) return `${names[0]} and ${names[1]} are typing\u2026`;
    return "Several people are typing\u2026";
  }
}
