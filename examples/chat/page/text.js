// From text to nodes. What others write is only ever put in as text: nothing here, or elsewhere in this page, makes HTML of it.

/** An element with classes and text. */
export function element(tag, classes = "", text = "") {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}

/** What may be a link; the URL parser has the last word. */
const candidate = /\bhttps?:\/\/[^\s<>"'`]+/gi;

/** Text, with links where it names http or https addresses. */
export function linked(text) {
  const made = document.createDocumentFragment();
  let done = 0;
  for (const match of text.matchAll(candidate)) {
    const address = withoutTail(match[0]);
    const url = parsed(address);
    if (!url) continue;
    made.append(text.slice(done, match.index));
    const link = element("a", "", address);
    link.href = url.href;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    made.append(link);
    done = match.index + address.length;
  }
  made.append(text.slice(done));
  return made;
}

/** The full stop behind an address belongs to the sentence, and so does a bracket that was opened before it. */
function withoutTail(address) {
  for (;;) {
    const last = address.at(-1);
    const closes = { ")": "(", "]": "[", "}": "{" }[last];
    const is_tail = closes ? count(address, closes) < count(address, last) : ".,;:!?*_~\u2026\u3002\uff0c".includes(last);
    if (!is_tail) return address;
    address = address.slice(0, -1);
  }
}
const count = (text, character) => text.split(character).length - 1;

function parsed(address) {
  try {
    const url = new URL(address);
    const is_web = url.protocol === "http:" || url.protocol === "https:";
    // "https://bank.example@evil.example" goes elsewhere than it seems to.
    return is_web && url.hostname && !url.username && !url.password ? url : null;
  } catch {
    return null;
  }
}

/** One of eight colours, always the same for a name. */
export function hue(name) {
  let hash = 2166136261; // FNV-1a, of which the upper bits are the better ones
  for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
  return `hue-${hash >>> 29}`;
}

const graphemes = globalThis.Intl?.Segmenter ? new Intl.Segmenter() : null;
/** What stands in a member's circle. */
export function initial(name) {
  return graphemes ? (graphemes.segment(name)[Symbol.iterator]().next().value?.segment ?? "") : (Array.from(name)[0] ?? "");
}

/** A circle with the initial of a name. */
export function avatar(name) {
  const made = element("span", `avatar ${hue(name)}`, initial(name));
  made.setAttribute("aria-hidden", "true");
  return made;
}

/** How many characters the server counts: code points. */
export const length = (text) => Array.from(text).length;

/** The name of a room as the server has it: `#Lobby` and `lobby` are one. */
export function folded(typed) {
  const seen = typed.replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "").replace(/[\s\p{Cc}]+/gu, " ").trim();
  return seen.replace(/^[# ]+/, "").toLowerCase().replaceAll(" ", "-");
}

/** A name by chance, that nobody else draws. (`crypto.randomUUID` is only there where a page is secure.) */
export const draw_name = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0")).join("");

export const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** The server's time as an element that shows it in local time. */
export function time(date) {
  const made = element("time", "", clock.format(date));
  made.dateTime = date.toISOString();
  made.title = whole.format(date);
  return made;
}

/** "Today", or which day it was. */
export function day(date) {
  return date.toDateString() === new Date().toDateString() ? "Today" : calendar.format(date);
}
