// What every client with the interface of the browsers is asked to do; runs in Node and in a page.
// `report(name, problem)` is called for each case, without a problem if it passed. `end_server()` ends the echo server.
async function run_cases({WebSocket, echo, broadcast, report, end_server, deflate}) {
  const is_secure = typeof process === "object" ? process.env.HUBBUB_TEST_TLS : location.protocol === "https:";
  const scheme = is_secure ? "wss" : "ws";
  const within = (promise, what, seconds = 10) => {
    let timer;
    const late = new Promise((_, refuse) => { timer = setTimeout(() => refuse(new Error("no " + what)), seconds * 1000); });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };
  const connect = async (port, protocols = []) => {
    const socket = new WebSocket(`${scheme}://127.0.0.1:${port}/`, protocols);
    socket.binaryType = "arraybuffer";
    const inbox = [], waiting = [];
    socket.next = async (seconds = 10) => {
      if (inbox.length) return inbox.shift();
      let take;
      const message = new Promise(taken => waiting.push(take = taken));
      try {
        return await within(message, "message", seconds);
      } finally {  // who has given up must not take the message of who asks next
        if (waiting.includes(take)) waiting.splice(waiting.indexOf(take), 1);
      }
    };
    socket.addEventListener("message", event => waiting.length ? waiting.shift()(event.data) : inbox.push(event.data));
    socket.closed = new Promise(take => socket.addEventListener("close", event => take(event)));
    await within(new Promise((take, refuse) => {
      socket.addEventListener("open", take);
      socket.addEventListener("error", event => refuse(new Error("no connection: " + (event.message || "error"))));
    }), "connection");
    return socket;
  };
  const demand = (holds, why) => { if (!holds) throw new Error(why); };
  const a_case = async (name, body) => {
    try {
      await body();
      report(name);
    } catch (problem) {
      report(name, String(problem));
    }
  };
  const text_of = size => size < 3 ? "x".repeat(size) : "\u20ac" + "abcdefg".repeat(size / 7 + 1).slice(0, size - 3);
  const bytes_of = size => Uint8Array.from({length: size}, (_, i) => (i * 31 + size) & 255);

  let socket = await connect(echo);
  await a_case(deflate ? "permessage-deflate is spoken" : "no extension is spoken", async () => {
    demand(deflate ? socket.extensions.startsWith("permessage-deflate") : socket.extensions === "", `"${socket.extensions}"`);
  });
  await a_case("echo of bytes that do not compress", async () => {
    const sent = Uint8Array.from({length: 100000}, () => Math.floor(Math.random() * 256));
    socket.send(sent);
    const bytes = new Uint8Array(await socket.next());
    demand(bytes.length === sent.length && bytes.every((byte, i) => byte === sent[i]), "other bytes came back");
  });
  for (const size of [0, 1, 125, 126, 65535, 65536, 1048576]) {
    await a_case(`echo of ${size} bytes of text`, async () => {
      const sent = text_of(size);
      socket.send(sent);
      demand(await socket.next() === sent, "another text came back");
    });
    await a_case(`echo of ${size} bytes of binary`, async () => {
      const sent = bytes_of(size);
      socket.send(sent);
      const got = await socket.next();
      demand(got instanceof ArrayBuffer, "what came back is not binary");
      const bytes = new Uint8Array(got);
      demand(bytes.length === size && bytes.every((byte, i) => byte === sent[i]), "other bytes came back");
    });
  }
  await a_case("a hundred messages in flight come back in order", async () => {
    for (let i = 0; i < 100; ++i) socket.send("number " + i);
    for (let i = 0; i < 100; ++i) demand(await socket.next() === "number " + i, "another order");
  });
  await a_case("close by the client: its code comes back", async () => {
    socket.close(4321, "thank you");
    const event = await within(socket.closed, "close");
    demand(event.code === 4321 && event.wasClean, `code ${event.code}, clean ${event.wasClean}`);
  });
  await a_case("close by the server, with code and reason", async () => {
    const talker = await connect(echo);
    talker.send("x".repeat(1048577));
    const event = await within(talker.closed, "close");
    demand(event.code === 1009 && event.reason !== "", `code ${event.code}, reason "${event.reason}"`);
  });
  await a_case("the subprotocol that the server speaks", async () => {
    const speaker = await connect(echo, ["something.else", "hubbub.test"]);
    demand(speaker.protocol === "hubbub.test", `"${speaker.protocol}"`);
    speaker.close();
  });
  await a_case("broadcast among five: all hear all, each sender in order", async () => {
    const all = await Promise.all([0, 1, 2, 3, 4].map(() => connect(broadcast)));
    // A client may become a member a moment after its 101: the first message that all have heard says that all are.
    let heard = 0;
    for (let attempt = 0; heard !== all.length && attempt < 50; ++attempt) {
      all[0].send("hello " + attempt);
      const hears = async member => {
        for (;;) if (await member.next(1) === "hello " + attempt) return 1;
      };
      heard = (await Promise.all(all.map(member => hears(member).catch(() => 0)))).reduce((sum, one) => sum + one);
    }
    demand(heard === all.length, "not all became members");
    for (let i = 0; i < 20; ++i) all.forEach((member, j) => member.send(`${j} ${i}`));
    for (const member of all) {
      const next = all.map(() => 0);
      for (let i = 0; i < 20 * all.length; ++i) {
        const [sender, number] = (await member.next()).split(" ").map(Number);
        demand(next[sender]++ === number, `message ${number} of sender ${sender} out of order`);
      }
      member.close();
    }
  });
  await a_case("the server goes away: 1012 and its reason", async () => {
    socket = await connect(echo);
    end_server();
    const event = await within(socket.closed, "close");
    demand(event.code === 1012 && event.reason === "the server goes away", `code ${event.code}, reason "${event.reason}"`);
  });
}
if (typeof module !== "undefined") module.exports = {run_cases};
