// One WebSocket that comes back.
//
// How long it waits is drawn by chance from zero to a ceiling that doubles ("full jitter"), so that a thousand pages that lost
// their server do not all return in the same moment. Why the server closed says whether it makes sense to come back at all.

const first_ceiling = 500; // milliseconds, like all of these
const longest = 30_000;
const busy_pause = 10_000; // on top, when the server has said that it is busy
const settled_after = 5_000; // open for so long, a connection counts as a success

/** RFC 6455 7.4.1 and the registry: what would only happen again is not tried again. */
const final = new Map([
  [1002, "this page broke the protocol"],
  [1003, "this page sent what the server does not take"],
  [1007, "this page sent what the server does not take"],
  [1008, "the server has ended it"],
  [1009, "this page sent a message that is too long"],
]);
const passing = new Map([
  [1001, "The server is going away."],
  [1011, "The server had a problem."],
  [1012, "The server starts again."],
  [1013, "The server is busy, or this page was too slow for it."],
]);

export class Connection {
  /**
   * `on_message(message)` is given each message, parsed. `on_state(state)` is told what `state` has become:
   *   {kind: "connecting", again}   {kind: "open"}   {kind: "waiting", why, until}   {kind: "offline"}   {kind: "ended", why}
   */
  constructor(address, on_message, on_state) {
    this.address = address;
    this.on_message = on_message;
    this.on_state = on_state;
    this.attempts = 0;
    this.socket = null;
    this.state = { kind: "ended", why: "" };
    addEventListener("online", () => {
      if (this.state.kind === "offline" || this.state.kind === "waiting") this.connect_now();
    });
    // A connection of a device without a network is dead, even if nobody has told it yet.
    addEventListener("offline", () => {
      if (this.state.kind !== "ended") this.#go_offline();
    });
  }

  get is_open() {
    return this.state.kind === "open";
  }

  /** At once, and with patience as if for the first time. */
  connect_now() {
    this.attempts = 0;
    this.#connect();
  }

  /** For good, until `connect_now`. */
  end() {
    this.#forget(1000);
    this.#become({ kind: "ended", why: "" });
  }

  /** False: there is no connection now, and nothing was sent. */
  send(type, data) {
    if (!this.is_open) return false;
    this.socket.send(JSON.stringify({ type, data }));
    return true;
  }

  #connect() {
    this.#forget();
    if (navigator.onLine === false) return this.#become({ kind: "offline" });
    this.#become({ kind: "connecting", again: this.attempts > 0 });
    const socket = (this.socket = new WebSocket(this.address));
    let settled = 0;
    socket.onopen = () => {
      settled = setTimeout(() => (this.attempts = 0), settled_after);
      this.#become({ kind: "open" });
    };
    socket.onmessage = (event) => {
      if (typeof event.data === "string") this.on_message(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      clearTimeout(settled);
      this.#forget();
      this.#lost(event.code, event.reason);
    };
  }

  #lost(code, reason) {
    if (final.has(code)) return this.#become({ kind: "ended", why: reason || final.get(code) });
    if (navigator.onLine === false) return this.#become({ kind: "offline" });
    const ceiling = Math.min(longest, first_ceiling * 2 ** Math.min(this.attempts++, 10));
    const pause = Math.random() * ceiling + (code === 1013 ? busy_pause : 0);
    this.timer = setTimeout(() => this.#connect(), pause);
    this.#become({ kind: "waiting", why: passing.get(code) ?? "The connection was lost.", until: Date.now() + pause });
  }

  #go_offline() {
    this.#forget(1000);
    this.#become({ kind: "offline" });
  }

  /** What the socket still says is of no interest any more. */
  #forget(code) {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (code) socket.close(code);
  }

  #become(state) {
    this.state = state;
    this.on_state(state);
  }
}
