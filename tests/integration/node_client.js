// node_client.js ws|built-in ECHO_PORT BROADCAST_PORT [deflate]
// The `ws` package, or the client that newer versions of Node have built in.
const {run_cases} = require("./cases.js");

const [kind, echo, broadcast, deflate] = process.argv.slice(2);
let passed = 0, failed = 0;
const report = (name, problem) => {
  problem ? ++failed : ++passed;
  console.log(problem ? `FAILED  ${name}: ${problem}` : `ok      ${name}`);
};

// What only this package can be asked to do.
async function run_cases_of_ws(WebSocket) {
  const socket = new WebSocket(`${process.env.HUBBUB_TEST_TLS ? "wss" : "ws"}://127.0.0.1:${echo}/`);
  const event = (name, start) => new Promise((take, refuse) => {
    const timer = setTimeout(() => refuse(new Error("no " + name)), 10000);
    socket.once(name, (...data) => { clearTimeout(timer); take(data); });
    if (start) start();
  });
  const a_case = (name, body) => body().then(fine => report(name, fine ? "" : "something else came"), problem => report(name, String(problem)));
  await event("open");
  await a_case("a message in fragments, with a ping between them", async () => {
    const pong = event("pong");
    const [data, binary] = await event("message", () => {
      socket.send("frag", {fin: false});
      socket.ping("between");
      socket.send("", {fin: false});
      socket.send("ments \u20ac", {fin: true});
    });
    const [answer] = await pong;
    return !binary && String(data) === "fragments \u20ac" && String(answer) === "between";
  });
  await a_case("a pong brings back the payload of a ping", async () => {
    const [data] = await event("pong", () => socket.ping(Buffer.alloc(125, 7)));
    return data.equals(Buffer.alloc(125, 7));
  });
  await a_case("a close without a code", async () => {
    const [code] = await event("close", () => socket.close());
    return code === 1005;
  });
  if (!deflate) return;
  // What the package can be told to offer, each with messages that refer to earlier ones where that is allowed.
  for (const offer of [{}, {serverNoContextTakeover: true}, {clientNoContextTakeover: true}, {serverMaxWindowBits: 9},
                       {clientMaxWindowBits: 10}, {serverMaxWindowBits: 8, clientMaxWindowBits: 9, clientNoContextTakeover: true}])
    await a_case("offers " + JSON.stringify(offer), async () => {
      const one = new WebSocket(`ws://127.0.0.1:${echo}/`, {perMessageDeflate: {threshold: 1, ...offer}});
      await new Promise((take, refuse) => one.once("open", take).once("error", refuse));
      const said = [..."abcdefgh"].map(letter => (letter + " a text that repeats itself, ").repeat(3000));
      const heard = new Promise(take => {
        const all = [];
        one.on("message", data => { if (all.push(String(data)) === said.length) take(all); });
      });
      said.forEach(text => one.send(text));
      const fine = (await heard).every((text, i) => text === said[i]) && one.extensions.startsWith("permessage-deflate");
      one.close();
      return fine;
    });
}

async function main() {
  const WebSocket = kind === "ws" ? require("ws") : globalThis.WebSocket;
  if (kind === "ws") await run_cases_of_ws(WebSocket);
  await run_cases({WebSocket, echo, broadcast, report, deflate: Boolean(deflate), end_server: () => console.log("end the server")});
}
main().catch(problem => report("all cases run", String(problem))).then(() => {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
});
