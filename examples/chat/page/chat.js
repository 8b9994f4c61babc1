// The page: one connection, some rooms, of which one is shown. What happens in a room is in room.js.

import { ask } from "./ask.js";
import { fit_text, limit_text, tell, use_composer, write } from "./composer.js";
import { connect, disconnect, hub } from "./connection.js";
import { $, remember, remembered } from "./dom.js";
import { close_panels } from "./panels.js";
import { Room } from "./room.js";
import { hush, line_added, scroll_to_end } from "./scroll.js";
import { folded, length } from "./text.js";
import { show_room_parts, show_rooms, show_self } from "./view.js";

const rooms = new Map(); // name -> Room, in the order in which they were joined
let current = null; // the Room that is shown
let limits = { room: 32, rooms: 8 };

// ---- what a room knows of this page, and tells it

const own = new Set(remembered(sessionStorage, "own")); // ids of what it has said, also before it was loaded again
const page = {
  session: "",
  name: "",
  began: new Date(), // by the server's clock: what is older is no news
  is_own: (id) => own.has(id),
  claim(id) {
    own.add(id);
    remember(sessionStorage, "own", [...own].slice(-200));
  },
  is_shown: (room) => room === current && !document.hidden,
  changed: (room) => room === current && show_room_parts(current, page.session),
  unread: () => show_rooms([...rooms.values()], current),
  added: (room, line) => room === current && line_added(line),
  refused(room, problem) {
    forget_room(room.name);
    const text = problem.code === "refused" ? `The room #${room.name} cannot be entered.` : `${problem.message}.`;
    rooms.size ? tell(text) : ($.enter_problem.textContent = text);
  },
  recalls: (room) => room === current && hush(),
};

// ---- the server

function prepare(hub) {
  hub.on("state", note_state);
  hub.on("connected", ({ session }) => (page.session = session));
  hub.on("message", ({ data }) => welcome(data));
  hub.on("error", ({ message }) => tell(message));
  for (const room of rooms.values()) room.enter(hub);
}
function note_state({ state, code }) {
  if (state === "closed" && code === 4401) return location.reload(); // who has signed in may do it again
  if (state !== "connected") for (const room of rooms.values()) room.away();
  if (current) show_room_parts(current, page.session);
}
let is_new = true;
/** The first thing that the server says. */
function welcome({ name, time, limits: given }) {
  page.name = name;
  limits = given;
  limit_text(limits.text);
  if (is_new) page.began = new Date(time);
  is_new = false;
  show_self(page.name);
}

// ---- which rooms there are

/** What is wrong with the name of a room, if something is. */
function problem_of(name) {
  if (!name) return "Which room?";
  if (length(name) > limits.room) return `The name of a room has 1 to ${limits.room} characters.`;
  if (!rooms.has(name) && rooms.size >= limits.rooms) return `You can be in ${limits.rooms} rooms at once.`;
  return "";
}
function join(name) {
  const problem = problem_of(name);
  if (problem) return problem;
  if (!rooms.has(name)) rooms.set(name, new Room(name, page));
  if (!rooms.get(name).said && hub) rooms.get(name).enter(hub);
  show_room(rooms.get(name));
  return "";
}
function forget_room(name) {
  const gone = rooms.get(name);
  rooms.delete(name);
  gone?.leave();
  if (current === gone) current = null;
  if (!rooms.size) return show_welcome();
  if (!current) show_room(rooms.values().next().value);
  show_rooms([...rooms.values()], current);
  remember_place();
}
function show_room(room) {
  if (current !== room) {
    if (current) {
      current.draft = $.text.value;
      current.log.remove_unread_mark();
    }
    current = room;
    tell("");
    write(room.draft);
    hush();
    $.log.setAttribute("aria-label", `Messages in ${room.name}`);
    $.log.replaceChildren(room.log.element);
  }
  show_chat();
  scroll_to_end();
  room.log.mark?.scrollIntoView({ block: "start" });
  if (!document.hidden) room.unread = 0;
  history.replaceState(null, "", `#${encodeURIComponent(room.name)}`);
  show_room_parts(current, page.session);
  show_rooms([...rooms.values()], current);
  show_self(page.name);
  remember_place();
}
function remember_place() {
  remember(sessionStorage, "place", { rooms: [...rooms.keys()], current: current?.name ?? "", name: page.name });
}

// ---- what is shown

function show_welcome() {
  close_panels();
  disconnect();
  current = null;
  $.chat.hidden = true;
  $.welcome.hidden = false;
  document.title = "hubbub chat";
  history.replaceState(null, "", location.pathname + location.search);
  remember_place();
  ($.enter_name.value ? $.enter_room : $.enter_name).focus();
}
function show_chat() {
  if (!$.chat.hidden) return;
  $.welcome.hidden = true;
  $.chat.hidden = false;
  fit_text();
  if (!matchMedia("(pointer: coarse)").matches) $.text.focus(); // on a phone the keyboard would cover what is to be read
}

// ---- what is done

$.enter.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $.enter_name.value.trim();
  const room = folded($.enter_room.value);
  $.enter_problem.textContent = name ? problem_of(room) : "What should the others call you?";
  if (!name) return $.enter_name.focus();
  if ($.enter_problem.textContent) return $.enter_room.focus();
  come_in(name, [room], room);
  remember(localStorage, "name", name);
});
function come_in(name, names, shown) {
  page.name = name;
  for (const each of names) rooms.set(each, new Room(each, page));
  show_room(rooms.get(shown) ?? rooms.values().next().value);
  connect(() => page.name, prepare);
}
use_composer({
  type: () => current.type(),
  say(text) {
    current.log.remove_unread_mark();
    current.say(text);
  },
});
$.join_room.addEventListener("click", () => {
  close_panels();
  ask("Join a room", "Its name", "Join", "", (name) => join(folded(name)));
});
$.rename.addEventListener("click", () => {
  close_panels();
  ask("Change your name", "Your name", "Change", page.name, async (wanted) => {
    try {
      page.name = (await hub.request("rename", { name: wanted })).name;
    } catch (problem) {
      return ["connection_lost", "timeout", "closed"].includes(problem.code) ? "There is no connection now." : problem.message;
    }
    remember(localStorage, "name", page.name);
    remember_place();
    show_self(page.name);
    return "";
  });
});
$.leave.addEventListener("click", () => forget_room(current.name));
$.rooms.addEventListener("click", (event) => {
  const room = rooms.get(event.target.closest("button")?.dataset.room);
  if (!room) return;
  show_room(room);
  close_panels();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !current) return;
  current.unread = 0;
  show_rooms([...rooms.values()], current);
});
addEventListener("hashchange", () => {
  const name = room_of_address();
  if (name && current && name !== current.name) tell(join(name));
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
  come_in(place.name, place.rooms, place.current);
} else {
  $.welcome.hidden = false;
  ($.enter_name.value ? $.enter_room : $.enter_name).focus();
}
