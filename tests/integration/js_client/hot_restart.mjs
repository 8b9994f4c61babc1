// Hot restarts of the chat over Redis: node hot_restart.mjs CHAT REDIS_SERVER [CLIENTS] [PUBLICATIONS_A_SECOND] [RESTARTS]
// Clients that come back talk without a pause while one process after the other takes the listening sockets over, and somebody connects
// all the time. Nobody may be refused, each line has to come once to everybody in its room, and who comes back does so when he drew.
import {spawn} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync} from "node:fs";
import {createRequire} from "node:module";
import {connect, createServer} from "node:net";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {createInterface} from "node:readline";
import {Hubbub} from "../../../clients/js/hubbub.js";
import {must, next, within} from "./harness.mjs";

const [program, redis_server, ...numbers] = process.argv.slice(2);
const [count = 50, rate = 50, restarts = 3] = numbers.map(Number);
const hint = 2_000, in_a_room = 10, rooms = Math.ceil(count / in_a_room);  // the hint is the chat's
const WebSocket = createRequire(import.meta.url)("ws");
const folder = mkdtempSync(join(tmpdir(), "hubbub-restart-"));
const sleep = milliseconds => new Promise(done => setTimeout(done, milliseconds));
let addresses = 0;
/** As from many computers: what one address may is limited. */
const next_address = () => `127.0.${1 + addresses % 50}.${1 + Math.floor(addresses++ / 50) % 200}`;
class FromMany extends WebSocket {
  constructor(url, protocols) { super(url, protocols, {localAddress: next_address()}); }
}

/** One that the system gives to no client, so that Redis can have it: see free_port in processes.py. */
async function free_port() {
  const first_of_clients = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/)[0]);
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * (first_of_clients - 10_000));
    const is_free = await new Promise(done => {
      const probe = createServer().on("error", () => done(false)).listen(port, "127.0.0.1", () => probe.close(() => done(true)));
    });
    if (is_free) return port;
  }
}

class Program {
  constructor(command) {
    this.process = spawn(command[0], command.slice(1), {stdio: ["ignore", "pipe", "inherit"]});
    this.ended = new Promise(done => this.process.on("exit", (code, signal) => done(code ?? signal)));
    this.lines = createInterface({input: this.process.stdout});
  }
  line() { return within(20_000, "first line", new Promise(done => this.lines.once("line", done))); }
}

const redis_port = await free_port();
const redis = new Program([redis_server, "--port", redis_port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no", "--loglevel", "warning"].map(String));
const is_there = port => new Promise(done => {
  const socket = connect(port, "127.0.0.1", () => done(true)).on("error", () => done(false)).on("close", () => done(false));
  socket.unref();
  setTimeout(() => socket.destroy(), 200);
});
while (!await is_there(redis_port)) await sleep(50);

async function start_chat(port) {
  const chat = new Program([program, "--port", port, "--threads", 2, "--redis", `redis://127.0.0.1:${redis_port}`, "--cluster-key", "a secret of this test",
                            "--handover", join(folder, "handover")].map(String));
  chat.port = Number(/127\.0\.0\.1:(\d+)/.exec(await chat.line())[1]);
  return chat;
}

// ---- who connects all the time

const probes = {served: 0, failed: [], ended: false};
/** A TCP connection and an upgrade, which has to be a 101. */
function probe(port) {
  return new Promise(done => {
    let answer = "";
    const socket = connect({port, host: "127.0.0.1", localAddress: next_address()});
    const end = why => {
      socket.destroy();
      why ? probes.failed.push(why) : ++probes.served;
      done();
    };
    socket.setTimeout(5_000, () => end("no answer within 5 s"));
    socket.on("connect", () => socket.write("GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
                                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: hubbub.v1.json\r\n\r\n"));
    socket.on("data", bytes => {
      answer += bytes.toString("latin1");
      if (answer.includes("\r\n")) end(answer.startsWith("HTTP/1.1 101") ? "" : answer.split("\r\n")[0]);
    });
    socket.on("error", problem => end(problem.code));
    socket.on("close", () => answer || end("closed without an answer"));
  });
}
async function probe_all_the_time(port) {
  while (!probes.ended) await Promise.all([probe(port), probe(port), sleep(2)]);
}

// ---- who talks

class Member {
  heard = new Map();  // a line, and how often
  said = 0;
  constructor(number, port) {
    this.number = number;
    this.topic = `room/r${number % rooms}`;
    this.client = new Hubbub(`ws://127.0.0.1:${port}/ws?name=m${number}`, {WebSocket: FromMany, timeout: 60_000});
    this.room = this.client.subscribe(this.topic);
    this.room.on("publication", ({data}) => this.heard.set(data.text, (this.heard.get(data.text) ?? 0) + 1));
    this.room.on("subscribed", ({recovered, first}) => { if (!first && !recovered) unrecovered.push(number); });
    this.client.on("state", ({state, code, delay}) => {
      if (state !== "waiting") return;
      code === 1012 ? drawn.push(delay) : strange.push(`${code}`);
    });
    this.client.on("connected", () => came.push(performance.now()));
  }
  say() {
    const text = `m${this.number}: ${this.said++}`;
    return this.client.publish(this.topic, {id: String(this.said), text})
      .then(() => said.get(this.topic).push(text), problem => unsaid.push(`${problem.code}: ${problem.message}`));
  }
}

const said = new Map(), unsaid = [], unrecovered = [], strange = [];  // lines that were acknowledged, by room; what went wrong
let drawn = [], came = [];  // since the restart
for (let i = 0; i < rooms; ++i) said.set(`room/r${i}`, []);
let failed = 0, passed = 0;
function check(name, holds, why = "") {
  holds ? ++passed : ++failed;
  console.log(holds ? `ok      ${name}` : `FAILED  ${name}: ${why}`);
}

let chat = await start_chat(0);
const {port} = chat, members = [];
for (let i = 0; i < count; ++i) {
  members.push(new Member(i, port));
  if (i % 50 === 49) await Promise.all(members.slice(-50).map(({client}) => client.state === "connected" || next(client, "connected", undefined, 30_000)));
}
await Promise.all(members.map(({room}) => room.state === "subscribed" || next(room, "subscribed", undefined, 30_000)));
const probing = probe_all_the_time(port);
const pending = new Set();
let turn = 0, owed = 0, then = performance.now();
const talking = setInterval(() => {
  const now = performance.now();
  for (owed += (now - then) / 1_000 * rate; owed >= 1; --owed) {
    const line = members[turn++ % count].say().finally(() => pending.delete(line));
    pending.add(line);
  }
  then = now;
}, 10);

const tenths = times => Array.from({length: 11}, (_, i) => times.filter(time => Math.min(10, Math.floor(time * 10 / hint)) === i).length);
try {
  for (let i = 1; i <= restarts; ++i) {
    await sleep(500);
    drawn = [], came = [];
    const began = performance.now(), old = chat;
    chat = await start_chat(port);
    const code = await within(30_000, "end of the old process", old.ended), took = performance.now() - began;
    // The end of the process may be seen before what it has said.
    while ((drawn.length < count || members.some(({room}) => room.state !== "subscribed")) && performance.now() < began + 30_000) await sleep(20);
    check(`restart ${i}: the old process ends with 0, and all are back`, code === 0 && members.every(({room}) => room.state === "subscribed"),
          `it ended with ${code}; ${members.filter(({room}) => room.state !== "subscribed").length} are away`);
    const spread = tenths(drawn), most = Math.max(...spread.slice(0, 10));
    check(`restart ${i}: who comes back draws within the hint, and not all the same`,
          drawn.length >= count && spread[10] === 0 && spread.slice(0, 10).every(each => each > 0 || count < 200) && most < Math.max(drawn.length / 4, 20), spread.join(" "));
    console.log(`        drawn in tenths of the hint, the last is beyond: ${spread.join(" ")}\n        back since the start of the process: ` +
                `${tenths(came.map(each => each - began)).join(" ")}; the old process ended after ${Math.round(took)} ms`);
  }
} catch (problem) {
  check("the restarts", false, problem.message);
}
await sleep(500);
clearInterval(talking);
await within(60_000, "acknowledgements", (async () => { while (pending.size) await Promise.all(pending); })()).catch(problem => unsaid.push(problem.message));
const lost = () => members.flatMap(({topic, heard, number}) => said.get(topic).filter(text => !heard.has(text)).map(text => `${number} has not "${text}"`));
for (let i = 0; i < 100 && lost().length; ++i) await sleep(100);
probes.ended = true;
await probing;
const doubled = members.flatMap(({heard, number}) => [...heard].filter(([, times]) => times > 1).map(([text, times]) => `${number} has "${text}" ${times} times`));
const total = [...said.values()].reduce((sum, lines) => sum + lines.length, 0);
const some = list => `${list.length}, such as ${list.slice(0, 3).join("; ")}`;
console.log(`        ${total} lines in ${rooms} rooms, each to ${in_a_room}; ${probes.served} connected meanwhile`);
check("nobody was refused", probes.failed.length === 0 && probes.served > 100, some(probes.failed));
check("no line was lost", total > 0 && lost().length === 0, some(lost()));
check("no line came twice", doubled.length === 0, some(doubled));
check("all that was said was acknowledged", unsaid.length === 0, some(unsaid));
check("all were told that they missed nothing", unrecovered.length === 0, some(unrecovered));
check("connections ended with 1012 and not otherwise", strange.length === 0, some(strange));
for (const {client} of members) client.close();
chat.process.kill("SIGTERM");
check("the last process ends with 0", await within(15_000, "end", chat.ended) === 0);
redis.process.kill("SIGTERM");
await redis.ended;
rmSync(folder, {recursive: true, force: true});
must(passed > 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
