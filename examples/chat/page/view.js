// What is shown beside the log: the rooms, who is in one of them, and who this page is.

import { $ } from "./dom.js";
import { avatar, element, hue, initial } from "./text.js";

export function show_rooms(all, current) {
  const unread = all.reduce((sum, room) => sum + room.unread, 0);
  const elsewhere = unread - (current?.unread ?? 0);
  const items = all.map((room) => {
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
  document.title = `${unread ? `(${unread}) ` : ""}${current ? `#${current.name} \u2013 ` : ""}hubbub chat`;
}

/** Everything about the room that is shown, but for its log. */
export function show_room_parts(room, own_session) {
  const { name, count, members, is_joined } = room;
  $.room_name.textContent = `#${name}`;
  $.room_summary.textContent = is_joined ? (count > 1 ? `${count} members` : "Only you are here") : "Not connected";
  $.typing.textContent = room.typing_text();
  $.members.classList.toggle("stale", !is_joined);
  $.members_title.textContent = `Members \u2013 ${count}`;
  const items = room.sorted_members().map(([session, name, has_namesakes]) => {
    const item = element("li", "member");
    const shown = element("span", "member-name", name);
    shown.title = name;
    item.append(avatar(name), shown);
    if (session === own_session) item.append(element("span", "you", "you"));
    else if (has_namesakes) item.append(element("span", "you", session));
    return item;
  });
  if (count > members.size) items.push(element("li", "small", `and ${count - members.size} more`));
  $.members.replaceChildren(...items);
}

export function show_self(name) {
  $.self_name.textContent = name;
  $.self_avatar.textContent = initial(name);
  $.self_avatar.className = `avatar ${hue(name)}`;
}
