// What a report says, shown.

import { Plot } from "./live_plots.js";
import { bar, set_bar, show_facts, Table } from "./live_table.js";
import { $, bytes, count, element, milliseconds, number, per_second, percent, set_text } from "./live_text.js";

// ---- why is it slow

const titles = {
  callbacks: "User code keeps a loop",
  slow_consumers: "Clients do not read",
  hot_topic: "One topic makes most of the deliveries",
  broker: "A broker is away, or does not keep up",
  memory: "The memory budget is used up",
  send_buffers: "Connections wait for room to send",
  descriptors: "The process has no more descriptors",
  loops: "The loops are busy with the hub\u2019s own work",
  starved: "The process does not get the processor",
};
const title_of = (cause) => titles[cause.name] ?? cause.name;

function make_cause() {
  const item = element("li");
  const heading = element("h3");
  heading.append(element("span"), bar("weight"));
  item.append(heading, element("p"), element("p", "remedy"));
  return item;
}
function show_causes(causes) {
  const list = $.causes;
  while (list.children.length > Math.max(1, causes.length)) list.lastChild.remove();
  while (list.children.length < Math.max(1, causes.length)) list.append(make_cause());
  list.classList.toggle("none", !causes.length);
  const shown = causes.length ? causes : [{ name: "", weight: 0, evidence: "It is not: no cause stands out in the last seconds.", remedy: "" }];
  for (const [at, cause] of shown.entries()) {
    const [heading, evidence, remedy] = list.children[at].children;
    list.children[at].dataset.cause = cause.name;
    heading.hidden = !cause.name;
    set_text(heading.firstChild, title_of(cause));
    set_bar(heading.lastChild, cause.weight);
    set_text(evidence, cause.evidence);
    set_text(remedy, cause.remedy ? `What helps: ${cause.remedy}` : "");
  }
  // Read out when another cause comes or goes, not with each new number.
  set_text($.causes_said, causes.length ? `Slow, because: ${causes.map(title_of).join("; ")}` : "Not slow");
}

// ---- tiles

class Tile {
  #value = element("p", "figure");
  #more = element("p", "small");
  #scale = element("span", "scale");

  /** `value(report)` is what it says, `more(report)` the line below; with `point`, the member of points that is plotted as `text`. */
  constructor({ title, value, more, part, point, text, least = 1 }) {
    Object.assign(this, { value, more, part, point, text });
    this.element = element("div", "tile");
    this.element.append(element("h3", "", title), this.#value, this.#more);
    if (part) this.element.append((this.bar = bar("wide")));
    if (!point) return;
    this.plot = new Plot(title, least);
    const figure = element("div", "plot-frame");
    figure.append(this.plot.element, this.#scale);
    this.element.append(figure);
  }
  show(report, points) {
    set_text(this.#value, this.value(report));
    set_text(this.#more, this.more?.(report) ?? "");
    if (this.part) set_bar(this.bar, this.part(report));
    if (this.plot) set_text(this.#scale, this.text(this.plot.show(points.map((each) => each[this.point]), this.text)));
  }
}

const sum = (parts) => Object.values(parts).reduce((all, each) => all + each, 0);
const tiles = [
  { title: "Sessions", value: ({ totals }) => count(totals.sessions), more: ({ rates }) => `${per_second(rates.opened)} come, ${per_second(rates.closed)} go`,
    point: "sessions", text: number, least: 10 },
  { title: "Received", value: ({ rates }) => per_second(rates.received), more: ({ rates }) => per_second_bytes(rates.received_bytes),
    point: "received", text: per_second, least: 10 },
  { title: "Published", value: ({ rates }) => per_second(rates.published), more: ({ rates }) => `${per_second(rates.deliveries)} deliveries`,
    point: "published", text: per_second, least: 10 },
  { title: "Written", value: ({ rates }) => per_second(rates.written), more: ({ rates }) => per_second_bytes(rates.written_bytes),
    point: "written", text: per_second, least: 10 },
  { title: "Dropped", value: ({ rates }) => per_second(sum(rates.dropped)), more: ({ totals }) => `${count(totals.pending)} messages wait`,
    point: "dropped", text: per_second, least: 10 },
  { title: "Busiest loop", value: ({ point }) => percent(point.busy), more: ({ shards }) => `of ${shards.length}`,
    point: "busy", text: percent, least: 1 },
  { title: "Loop lag", value: ({ point }) => milliseconds(point.lag_ms), more: ({ latency }) => `${milliseconds(latency.lag_p99_ms)} for 99 %`,
    point: "lag_ms", text: milliseconds, least: 10 },
  { title: "Memory of the budget", value: ({ memory }) => bytes(memory.used), more: ({ memory }) => `of ${bytes(memory.limit)}, nobody new above ${bytes(memory.high)}`,
    part: ({ memory }) => memory.used / memory.limit },
].map((each) => new Tile(each));
const per_second_bytes = (value) => `${bytes(value)}/s`;

// ---- tables

const share_of = (items, value_of) => {
  const most = Math.max(1, ...items.map(value_of));
  return (item) => value_of(item) / most;
};
let share_of_queue, share_of_rate, share_of_memory;

const shards = new Table($.shards, "Shards", [
  { title: "Loop", text: ({ index }) => String(index) },
  { title: "Busy", number: true, text: ({ busy }) => percent(busy), part: ({ busy }) => busy },
  { title: "Lag", number: true, text: ({ lag_ms }) => milliseconds(lag_ms) },
  { title: "Turn, 99 %", number: true, text: ({ turn_p99_ms }) => milliseconds(turn_p99_ms) },
  { title: "Sessions", number: true, text: ({ sessions }) => count(sessions) },
  { title: "Handshakes", number: true, shown_wide: true, text: ({ handshakes }) => count(handshakes) },
  { title: "Pending", number: true, text: ({ pending }) => count(pending) },
], ({ index }) => index, "None is known yet.");

/** `close(session)` is called for who presses the button, which only who may act has. */
let sessions = null;
export function make_sessions(close) {
  sessions?.frame.replaceChildren();
  const columns = [
    { title: "Session", text: ({ id }) => id },
    { title: "User", text: ({ user }) => user },
    { title: "Queued", number: true, text: ({ queued_bytes }) => bytes(queued_bytes), share: (item) => share_of_queue(item) },
    { title: "Messages", number: true, shown_wide: true, text: ({ queued_messages }) => count(queued_messages) },
    { title: "Stands still", number: true, text: ({ stalled_ms }) => (stalled_ms ? milliseconds(stalled_ms) : "") },
    { title: "Address", text: ({ address }) => address },
    { title: "Labels", shown_wide: true, text: ({ labels }) => labels.join(", ") },
    { title: "Written", number: true, shown_wide: true, text: ({ written }) => count(written) },
    { title: "Dropped", number: true, text: ({ dropped }) => count(dropped) },
  ];
  if (close)
    columns.push({
      title: "",
      make(row) {
        const button = element("button", "quiet", "Close\u2026");
        button.type = "button";
        button.addEventListener("click", () => close(row.item));
        return button;
      },
      fill: (button, { id, user }) => button.setAttribute("aria-label", `Close session ${id}${user ? ` of ${user}` : ""}`),
    });
  sessions = new Table($.sessions, "Slowest consumers", columns, ({ id }) => id, "There is no such session.");
}
export function show_sessions(items) {
  share_of_queue = share_of(items, ({ queued_bytes }) => queued_bytes);
  sessions?.show(items);
}

const topics = new Table($.topics, "Topics", [
  { title: "Topic", text: ({ name }) => name },
  { title: "Members", number: true, text: ({ members }) => count(members) },
  { title: "Published", number: true, text: ({ rate }) => per_second(rate) },
  { title: "Deliveries", number: true, text: ({ rate, members }) => per_second(rate * members), share: (item) => share_of_rate(item) },
  { title: "In all", number: true, shown_wide: true, text: ({ published }) => count(published) },
  { title: "Dropped", number: true, text: ({ dropped }) => count(dropped) },
], ({ name }) => name, "There are no topics.");

const callbacks = new Table($.callbacks, "Callbacks", [
  { title: "Hook", text: ({ name }) => name },
  { title: "Calls", number: true, text: ({ calls }) => per_second(calls) },
  { title: "Of a loop", number: true, text: ({ busy }) => percent(busy), part: ({ busy }) => busy },
  { title: "Slow", number: true, text: ({ slow }) => count(slow) },
], ({ name }) => name, "None was called in the last second.");

const reasons = (frame, label) => new Table(frame, label, [
  { title: "Reason", text: ({ name }) => name.replaceAll("_", " ") },
  { title: "Per second", number: true, text: ({ value }) => number(value) },
], ({ name }) => name, "None.");
const dropped = reasons($.dropped, "Messages dropped, by reason");
const refused = reasons($.refused, "Connections refused, by reason");

const memory = new Table($.memory, "Memory, by part", [
  { title: "Part", text: ({ name }) => name },
  { title: "Bytes", number: true, text: ({ value }) => bytes(value), share: (item) => share_of_memory(item) },
], ({ name }) => name, "None.");

const pairs_of = (object) => Object.entries(object).map(([name, value]) => ({ name, value }));

export function show_report(report, points, is_filtered) {
  show_causes(report.causes);
  for (const tile of tiles) tile.show(report, points);
  shards.show(report.shards.map((shard, index) => ({ index, ...shard })));
  if (!is_filtered) show_sessions(report.sessions);
  share_of_rate = share_of(report.topics, ({ rate, members }) => rate * members);
  topics.show(report.topics);
  callbacks.show(Object.entries(report.callbacks).map(([name, counts]) => ({ name, ...counts })));
  dropped.show(pairs_of(report.rates.dropped));
  refused.show(pairs_of(report.rates.refused));
  const parts = pairs_of(report.memory.parts);
  share_of_memory = share_of(parts, ({ value }) => value);
  memory.show(parts);
  const { latency, totals, backplane } = report;
  show_facts($.latency, [
    ["from publication to write, 99 %", milliseconds(latency.fan_out_p99_ms)],
    ["handshake, 99 %", milliseconds(latency.handshake_p99_ms)],
    ["loop lag, 99 %", milliseconds(latency.lag_p99_ms)],
    ["round trip of pings, the worst shard", milliseconds(latency.round_trip_ms)],
  ]);
  show_facts($.totals, [
    ["sessions opened", count(totals.opened)],
    ["sessions closed", count(totals.closed)],
    ["subscriptions now", count(totals.subscriptions)],
    ["ended for want of memory", count(totals.shed)],
    ["times beyond a rate", count(totals.throttled)],
    ["callbacks that threw", count(totals.callbacks_threw)],
  ]);
  $.backplane_section.hidden = !backplane.brokers;
  show_facts($.backplane, [
    ["state", backplane.continuous ? "continuous" : "interrupted"],
    ["brokers there", `${backplane.ready} of ${backplane.brokers}`],
    ["away for longer than patience", count(backplane.apart)],
    ["acknowledged", per_second(backplane.published)],
    ["received", per_second(backplane.received)],
    ["waiting", `${count(backplane.waiting_messages)}, ${bytes(backplane.waiting_bytes)}`],
    ["lost so far", count(backplane.losses)],
  ]);
  $.draining.hidden = !report.draining;
  $.drain.disabled = report.draining;
}

for (const tile of tiles) $.tiles.append(tile.element);
