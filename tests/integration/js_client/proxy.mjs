// What stands between a client and its server: it passes bytes on, and does to them what networks do.
import net from "node:net";

export class Proxy {
  #pairs = new Set();
  accepted = 0;    // connections, ever
  refuses = false; // new ones are reset
  deaf = false;    // what servers say is lost

  static async to(port) {
    const proxy = new Proxy();
    proxy.target = port;
    proxy.server = net.createServer(client => proxy.#pass(client));
    await new Promise(done => proxy.server.listen(0, "127.0.0.1", done));
    proxy.port = proxy.server.address().port;
    return proxy;
  }
  #pass(client) {
    ++this.accepted;
    client.on("error", () => {});
    if (this.refuses) return client.resetAndDestroy();
    const server = net.connect(this.target, "127.0.0.1"), pair = {client, server, silent: false};
    this.#pairs.add(pair);
    server.on("error", () => client.destroy());
    client.on("data", bytes => pair.silent || server.write(bytes));
    server.on("data", bytes => pair.silent || this.deaf || client.write(bytes));
    const over = () => {
      if (pair.silent) return;  // nobody is told
      this.#pairs.delete(pair);
      client.end();
      server.end();
    };
    client.on("close", over).on("end", over);
    server.on("close", over).on("end", over);
  }
  /** Both ends see a reset. */
  cut() {
    for (const {client, server} of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#pairs.clear();
  }
  /** Those that are open now stay so, and nothing passes any more, not even an end. */
  silence() {
    for (const pair of this.#pairs) pair.silent = true;
  }
  /** What servers say waits, in them in the end. */
  stall(stalls) {
    for (const {server} of this.#pairs) stalls ? server.pause() : server.resume();
  }
  close() {
    this.cut();
    this.server.close();
  }
}
