// How a drain spreads those who come back: node drain_spread.mjs PROGRAM [CLIENTS]
// A server drains with a hint, another one takes its port, and each client comes back at a moment that it drew. Prints how many came in
// each tenth of the hint's time, as it was measured; only that all came back, and drew within the hint, has passed or failed.
import {createRequire} from "node:module";
import {Hubbub} from "../../../clients/js/hubbub.js";
import {Server, until, must} from "./harness.mjs";

const [program, how_many = "1000"] = process.argv.slice(2), count = Number(how_many);
const WebSocket = createRequire(import.meta.url)("ws");
let next_address = 0;
/** As from a hundred computers: what one address may is limited. */
class FromMany extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, {localAddress: `127.0.0.${2 + next_address++ % 100}`});
  }
}

let server = await Server.start(program);
const clients = [], delays = [], came = [];
let began = 0, connected = 0;
for (let i = 0; i < count; ++i) {
  const client = new Hubbub(`ws://127.0.0.1:${server.port}/`, {WebSocket: FromMany});
  client.on("state", ({state, code, delay}) => {
    if (state === "waiting" && code === 1012) {
      began ||= performance.now();
      delays.push(delay);
    }
  });
  client.on("connected", () => {
    ++connected;
    if (began) came.push(performance.now() - began);
  });
  client.connect();
  clients.push(client);
  if (i % 50 === 49) await until(() => connected >= i - 20, [[client, "connected"], ...clients.slice(-30).map(each => [each, "connected"])], "connections");
}
await until(() => connected === count, clients.map(each => [each, "connected"]), "all connections", 60_000);
const {port} = server;
await server.end();
server = await Server.start(program, String(port));
let failed = 0;
try {
  await until(() => came.length === count, clients.map(each => [each, "connected"]), "clients that come back", 60_000);
  const hint = Math.max(...delays) > 1000 ? Infinity : 1000;
  must(delays.length >= count && hint === 1000, "somebody drew a time beyond the hint");
} catch (problem) {
  failed = 1;
  console.log(`FAILED  ${problem.message}`);
}
const tenths = times => Array.from({length: 12}, (_, i) => times.filter(time => Math.min(11, Math.floor(time / 100)) === i).length).join(" ");
console.log(`        drawn in each 100 ms: ${tenths(delays)}\n        back in each 100 ms, the last is later: ${tenths(came)}`);
for (const client of clients) client.close();
await server.end("SIGKILL");
console.log(`${1 - failed} passed, ${failed} failed`);
process.exit(failed);
