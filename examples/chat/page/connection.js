// The one connection of the page: when there is one, and what it says about itself. Coming back is the client's business.

import { $ } from "./dom.js";
import { Hubbub } from "./hubbub.js";
import { show_state } from "./status.js";

/** The client; null where nobody is in a room. */
export let hub = null;
let begin = null;

/** `name()` is what to be called; `prepare(hub)` subscribes and listens, for this client and for each that replaces it. */
export function connect(name, prepare) {
  begin = () => {
    disconnect();
    const mine = (hub = new Hubbub(() => address(name()), { connect: false }));
    hub.on("state", (state) => mine === hub && show_state(state));
    prepare(hub);
    hub.connect();
  };
  begin();
}
export function disconnect() {
  const gone = hub;
  hub = null;
  gone?.close();
}
function address(name) {
  const url = new URL("ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  url.search = new URLSearchParams({ name });
  return url;
}
// A client that was ended by the server comes back only if somebody asks for it; then there is a new one.
$.connect_now.addEventListener("click", () => (hub?.state === "waiting" ? hub.connect() : begin()));
