// The page: what the server says becomes what is shown, and what is done becomes what is sent. The protocol is in protocol.md.

import { Connection } from "./connection.js";
import { Room } from "./room.js";
import { avatar, element, hue, initial, length } from "./text.js";

const $ = Object.fromEntries([...document.querySelectorAll("[id]")].map((each) => [each.id.replaceAll("-", "_"), each]));

const rooms = new Map(); // name -> Room, in the order in which they were joined
let wanted = []; // the names of rooms that a new connection joins
let current = null; // the Room that is shown
let own_name = "";
let wished_name = ""; // is asked for, and may be refused
let limits = { text: 1000, name: 32 };
let last_said = ""; // comes back into the field, if the server refuses it

// ---- what is remembered: the name for the next visit, the rooms for a reload of this tab

function remembered(storage, key) {
  try {
    return JSON.parse(storage.getItem(`hubbub-chat-${key}`));
  } catch {
    return null;
  }
}
function remember(storage, key, value) {
  try {
    storage.setItem(`hubbub-chat-${key}`, JSON.stringify(value));
  } catch {
    // A browser may refuse to keep anything; the chat works without.
  }
}
function remember_place() {
  remember(sessionStorage, "place", { rooms: wanted, current: current?.name ?? "", name: own_name });
}

// ---- the server

const address = new URL("ws", location.href);
address.protocol = address.protocol.replace("http", "ws");
address.hash = "";
const connection = new Connection(address.href, receive, show_state);

const handlers = {
  welcome(data) {
    limits = data;
    for (const room of wanted) connection.send("join", { room, name: own_name });
  },
  joined({ room: name, id, version, members }, date) {
    let room = rooms.get(name);
    const is_back = Boolean(room);
    if (!room) rooms.set(name, (room = new Room(name, () => show_room_parts(room))));
    if (!wanted.includes(name)) wanted.push(name);
    const was_joined = room.is_joined;
    room.enter(id, version, members);
    if (!is_back) room.add_system("You joined", date);
    else if (!was_joined) room.add_system("You are back. What was said in the meantime is missing here.", date, true);
    if (!current || asked_for === name) show_room(room);
    if (asked_for === name) asked_for = "";
    show_chat();
    close_question("join");
    show_rooms();
    show_self();
    remember_place();
  },
  left({ room: name }) {
    forget_room(name);
  },
  members({ room, version, members }) {
    rooms.get(room)?.set_members(version, members);
  },
  came: (data, date) => in_room(data, (room) => room.came(data, date)),
  went: (data, date) => in_room(data, (room) => room.went(data, date)),
  renamed(data, date) {
    in_room(data, (room) => {
      room.renamed(data, date);
      if (data.id !== room.own) return;
      if (wished_name) own_name = wished_name; // not what it became: a number behind it is this room's
      wished_name = "";
      remember(localStorage, "name", own_name);
      remember_place();
      if (room === current) show_self();
      close_question("rename");
    });
  },
  typing: (data) => rooms.get(data.room)?.is_typing(data.id),
  said(data, date, from) {
    in_room(data, (room) => {
      const is_read = room === current && !document.hidden;
      if (!is_read && data.id !== room.own) {
        if (!room.unread) room.add_unread_mark();
        ++room.unread;
      }
      room.add_message(data.id, from, data.text, date);
      if (data.id === room.own) set_at_end(true);
      if (!is_read) show_rooms();
    });
  },
  missed({ count }, date) {
    const what = count === 1 ? "1 message was" : `${count} messages were`;
    for (const room of rooms.values()) {
      in_room({ room: room.name }, () => room.add_system(`This page could not keep up: ${what} missed.`, date, true));
      connection.send("members", { room: room.name }); // what was missed may have been who came and went
    }
  },
  error(data) {
    if (data.about === "say" && last_said && !$.text.value) {
      $.text.value = last_said;
      fit_text();
    }
    if (data.about === "join") {
      wanted = wanted.filter((name) => name !== data.room);
      if (!wanted.length && !rooms.size) show_welcome();
      else if (rooms.has(data.room)) forget_room(data.room);
    }
    tell(data.message, data.about);
  },
};

function receive({ type, data, from, time }) {
  handlers[type]?.(data, time ? new Date(time) : new Date(), from);
}

/** Does something in a room; if it is shown and its end is in sight, the end stays in sight. */
function in_room({ room: name }, action) {
  const room = rooms.get(name);
  if (!room) return;
  const before = room.list.lastElementChild;
  action(room);
  if (room !== current || before === room.list.lastElementChild) return;
  if (is_at_end) keep_end_in_sight();
  else show_to_end(room.list.lastElementChild.classList.contains("message") ? 1 : 0);
}

// ---- which rooms there are

let asked_for = ""; // is shown as soon as it is joined

const folded = (room) => room.trim().replace(/^#+/, "").toLowerCase().replace(/\s+/g, "-");

function join(room) {
  const name = folded(room);
  if (rooms.get(name)?.is_joined) {
    show_room(rooms.get(name));
    close_question("join");
    return true;
  }
  asked_for = name;
  return connection.send("join", { room: name, name: own_name });
}

function forget_room(name) {
  const gone = rooms.get(name);
  rooms.delete(name);
  wanted = wanted.filter((each) => each !== name);
  gone?.forget_typing();
  if (current === gone) current = null;
  if (!current && rooms.size) show_room(rooms.values().next().value);
  if (!rooms.size) show_welcome();
  show_rooms();
  remember_place();
}

function show_room(room) {
  if (current !== room) {
    if (current) {
      current.draft = $.text.value;
      current.remove_unread_mark();
    }
    current = room;
    $.problem.textContent = "";
    $.text.value = room.draft;
    fit_text();
    // Another room's lines are no news: they are not to be read out one by one.
    $.log.setAttribute("aria-live", "off");
    $.log.setAttribute("aria-label", `Messages in ${room.name}`);
    $.log.replaceChildren(room.element);
    setTimeout(() => $.log.setAttribute("aria-live", "polite"), 100);
  }
  scroll_to_end();
  room.mark?.scrollIntoView({ block: "start" });
  if (!document.hidden) room.unread = 0;
  history.replaceState(null, "", `#${encodeURIComponent(room.name)}`);
  show_room_parts(room);
  show_rooms();
  show_self();
  remember_place();
}

// ---- what is shown

function show_welcome(problem = "") {
  close_panels();
  connection.end();
  wanted = [];
  rooms.clear();
  current = null;
  asked_for = "";
  $.chat.hidden = true;
  $.welcome.hidden = false;
  $.enter_problem.textContent = problem;
  document.title = "hubbub chat";
  history.replaceState(null, "", location.pathname + location.search);
  (($.enter_name.value ? $.enter_room : $.enter_name)).focus();
}

function show_chat() {
  if (!$.chat.hidden && $.welcome.hidden) return;
  $.welcome.hidden = true;
  $.chat.hidden = false;
  fit_text();
  scroll_to_end();
  if (!matchMedia("(pointer: coarse)").matches) $.text.focus(); // on a phone the keyboard would cover what is to be read
}

function show_state(state) {
  const text = { connecting: "connecting", open: "connected", waiting: "not connected", offline: "offline", ended: "not connected" };
  $.connection.textContent = text[state.kind];
  $.connection.classList.toggle("open", state.kind === "open");
  $.send.disabled = state.kind !== "open";
  for (const each of rooms.values()) {
    if (state.kind === "open") break;
    each.is_joined = false;
    each.forget_typing();
  }
  if (current) show_room_parts(current);
  const tells = {
    waiting: () => `${state.why} Trying again soon.`,
    offline: () => "You are offline. The chat goes on when the network is back.",
    ended: () => `The connection was closed: ${state.why}.`,
    connecting: () => "Connecting again.",
  };
  const is_quiet = state.kind === "open" || (state.kind === "connecting" && !state.again) || (state.kind === "ended" && !state.why);
  $.status.hidden = is_quiet;
  if (!is_quiet) $.status_text.textContent = tells[state.kind]();
  $.status.classList.toggle("ended", state.kind === "ended");
  $.connect_now.textContent = state.kind === "ended" ? "Connect again" : "Try now";
  $.connect_now.hidden = state.kind !== "waiting" && state.kind !== "ended";
  show_when();
  if (!$.welcome.hidden && (state.kind === "waiting" || state.kind === "ended" || state.kind === "offline") && !is_quiet)
    $.enter_problem.textContent = $.status_text.textContent;
}

let countdown = 0;
/** How long until it is tried again: to be seen, not to be read out every second. */
function show_when() {
  clearTimeout(countdown);
  const { kind, until } = connection.state;
  const seconds = kind === "waiting" ? Math.ceil((until - Date.now()) / 1000) : 0;
  $.status_when.textContent = seconds > 1 ? `${seconds} s` : "";
  if (seconds > 1) countdown = setTimeout(show_when, 500);
}

function show_rooms() {
  let all = 0;
  let elsewhere = 0;
  const items = [...rooms.values()].map((room) => {
    all += room.unread;
    if (room !== current) elsewhere += room.unread;
    const button = element("button", room.unread ? "room unread" : "room");
    button.type = "button";
    button.dataset.room = room.name;
    if (room === current) button.setAttribute("aria-current", "true");
    button.append(element("span", "room-label", room.name));
    if (room.unread) {
      button.append(element("span", "badge", room.unread > 99 ? "99+" : String(room.unread)));
      button.setAttribute("aria-label", `${room.name}, ${room.unread} unread`);
    }
    const item = element("li");
    item.append(button);
    return item;
  });
  const focused = document.activeElement?.dataset?.room;
  $.rooms.replaceChildren(...items);
  if (focused !== undefined) [...$.rooms.querySelectorAll("button")].find((each) => each.dataset.room === focused)?.focus();
  $.unread_elsewhere.hidden = !elsewhere;
  $.show_rooms.setAttribute("aria-label", elsewhere ? `Rooms, ${elsewhere} unread` : "Rooms");
  document.title = `${all ? `(${all}) ` : ""}${current ? `#${current.name} \u2013 ` : ""}hubbub chat`;
}

/** Everything about the room that is shown, but for its log. */
function show_room_parts(room) {
  if (room !== current) return;
  const count = room.members.size;
  $.room_name.textContent = `#${room.name}`;
  $.room_summary.textContent = room.is_joined ? (count === 1 ? "Only you are here" : `${count} members`) : "Not connected";
  $.typing.textContent = room.typing_text();
  $.members.classList.toggle("stale", !room.is_joined);
  $.members_title.textContent = `Members \u2013 ${count}`;
  $.members.replaceChildren(
    ...room.sorted_members().map(([id, name]) => {
      const item = element("li", "member");
      const shown = element("span", "member-name", name);
      shown.title = name;
      item.append(avatar(name), shown);
      if (id === room.own) item.append(element("span", "you", "you"));
      return item;
    }),
  );
}

function show_self() {
  const name = current?.own_name || own_name;
  $.self_name.textContent = name;
  $.self_avatar.textContent = initial(name);
  $.self_avatar.className = `avatar ${hue(name)}`;
}

let told = 0;
/** What went wrong, where it was done. */
function tell(message, about = "") {
  if (question && question.about === about) {
    $.ask_problem.textContent = message;
    $.ask_value.setAttribute("aria-invalid", "true");
  } else if (!$.welcome.hidden) {
    $.enter_problem.textContent = message;
  } else {
    $.problem.textContent = message;
    clearTimeout(told);
    told = setTimeout(() => ($.problem.textContent = ""), 8000);
  }
}

// ---- the log's end

let is_at_end = true;
let below = 0;

function set_at_end(holds) {
  is_at_end = holds;
  $.log.classList.toggle("follows", holds);
}

function scroll_to_end() {
  $.log.scrollTop = $.log.scrollHeight;
  set_at_end(true);
  below = 0;
  $.to_end.hidden = true;
}
let frame = 0;
/** Once for all that came since the last picture; not at all while nobody looks. */
function keep_end_in_sight() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    scroll_to_end();
  });
}
function show_to_end(more) {
  below += more;
  $.to_end.hidden = false;
  $.to_end.textContent = below ? `${below} new \u2193` : "To the newest \u2193";
}
$.log.addEventListener("scroll", () => {
  if (frame || size !== size_of_log()) return; // it will be at the end, or is resized
  set_at_end($.log.scrollHeight - $.log.scrollTop - $.log.clientHeight < 60);
  if (is_at_end) {
    below = 0;
    $.to_end.hidden = true;
  } else if ($.to_end.hidden) {
    show_to_end(0);
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

// ---- coming in

$.enter.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $.enter_name.value.trim();
  const room = folded($.enter_room.value);
  $.enter_problem.textContent = name ? (room ? "" : "Which room?") : "What should the others call you?";
  if (!name) return $.enter_name.focus();
  if (!room) return $.enter_room.focus();
  own_name = name;
  remember(localStorage, "name", name);
  wanted = [room];
  asked_for = room;
  connection.connect_now();
});

// ---- writing

function fit_text() {
  $.text.style.height = "";
  $.text.style.overflowY = "";
  $.count.hidden = true;
  if (!$.text.value) return; // nothing to measure, which would lay out the whole page
  $.text.style.height = `${$.text.scrollHeight + 2}px`;
  $.text.style.overflowY = $.text.scrollHeight > 144 ? "auto" : "hidden";
  const left = limits.text - length($.text.value.trim());
  $.count.hidden = left > limits.text / 10;
  $.count.textContent = left < 0 ? `${-left} too many` : `${left} left`;
  $.count.classList.toggle("over", left < 0);
}
$.text.addEventListener("input", () => {
  fit_text();
  if (!current || !$.text.value.trim() || Date.now() - current.typing_told < 3000) return;
  if (connection.send("typing", { room: current.name })) current.typing_told = Date.now();
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
  if (!text || !current) return;
  if (length(text) > limits.text) return tell(`A message has at most ${limits.text} characters.`);
  if (!current.is_joined || !connection.send("say", { room: current.name, text }))
    return tell("There is no connection now. The message is kept here until there is one.");
  last_said = text;
  current.typing_told = 0;
  current.remove_unread_mark();
  $.text.value = "";
  $.problem.textContent = "";
  fit_text();
  set_at_end(true);
  keep_end_in_sight();
});

// ---- questions: a room's name, one's own name

let question = null;

function ask(about, title, label, button, value, answer) {
  question = { about, answer };
  $.ask_title.textContent = title;
  $.ask_label.textContent = label;
  $.ask_do.textContent = button;
  $.ask_problem.textContent = "";
  $.ask_value.value = value;
  $.ask_value.removeAttribute("aria-invalid");
  $.ask.showModal();
  $.ask_value.select();
}
function close_question(about) {
  if (question?.about === about) $.ask.close();
}
$.ask.addEventListener("close", () => (question = null));
$.ask_cancel.addEventListener("click", () => $.ask.close());
$.ask_form.addEventListener("submit", (event) => {
  event.preventDefault();
  $.ask_problem.textContent = "";
  const value = $.ask_value.value.trim();
  if (!value) return tell("Please write a name.", question.about);
  if (!question.answer(value)) tell("There is no connection now.", question?.about);
});

$.join_room.addEventListener("click", () => {
  close_panels();
  ask("join", "Join a room", "Its name", "Join", "", join);
});
$.rename.addEventListener("click", () => {
  close_panels();
  ask("rename", "Change your name", "Your name", "Change", current?.own_name || own_name, (name) => {
    // A name belongs to a room; whoever changes it means all of them.
    let is_sent = false;
    for (const room of rooms.values()) is_sent = connection.send("rename", { room: room.name, name }) || is_sent;
    wished_name = name;
    return is_sent;
  });
});
$.leave.addEventListener("click", () => {
  if (current && !connection.send("leave", { room: current.name })) forget_room(current.name);
});
$.rooms.addEventListener("click", (event) => {
  const room = rooms.get(event.target.closest("button")?.dataset.room);
  if (!room) return;
  show_room(room);
  close_panels();
});
$.connect_now.addEventListener("click", () => connection.connect_now());

// ---- the panels of a narrow window

const panels = [
  [$.show_rooms, $.rooms_panel],
  [$.show_members, $.members_panel],
];
function close_panels() {
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
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  close_panels();
  $.problem.textContent = "";
});
matchMedia("(max-width: 62rem)").addEventListener("change", close_panels);

// ---- read and unread

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !current) return;
  current.unread = 0;
  show_rooms();
});
addEventListener("hashchange", () => {
  const name = room_of_address();
  if (name && current && name !== current.name) join(name);
});
function room_of_address() {
  try {
    return folded(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return "";
  }
}

// ---- the beginning: a tab that is loaded again goes on where it was

const place = remembered(sessionStorage, "place");
$.enter_name.value = place?.name || remembered(localStorage, "name") || "";
$.enter_room.value = room_of_address() || "lobby";
if (place?.rooms?.length && place.name) {
  own_name = place.name;
  wanted = place.rooms;
  asked_for = place.current;
  connection.connect_now();
  setTimeout(() => rooms.size || ($.welcome.hidden = false), 1500);
} else {
  $.welcome.hidden = false;
  ($.enter_name.value ? $.enter_room : $.enter_name).focus();
}
