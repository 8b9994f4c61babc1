// Servers that a test starts and ends by their id, waits with deadlines, and a count of what passed.
import {spawn} from "node:child_process";
import {createInterface} from "node:readline";
import {Hubbub} from "../../../clients/js/hubbub.js";
import {Proxy} from "./proxy.mjs";

export class Server {
  static async start(program, port = "0") {
    const server = new Server();
    server.process = spawn(program, [port], {stdio: ["ignore", "pipe", "inherit"]});
    server.ended = new Promise(done => server.process.on("exit", code => done(code)));
    const [line] = await within(10_000, "the server's first line",
                                new Promise(done => createInterface({input: server.process.stdout}).once("line", (...line) => done(line))));
    server.port = Number(/127\.0\.0\.1:(\d+)/.exec(line)[1]);
    return server;
  }
  async end(signal = "SIGTERM") {
    this.process.kill(signal);
    return within(15_000, "the server's end", this.ended);
  }
}

export function within(milliseconds, what, promise) {
  let timer;
  const late = new Promise((_, refuse) => { timer = setTimeout(() => refuse(new Error(`no ${what} within ${milliseconds} ms`)), milliseconds); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The next event for which that holds. */
export function next(emitter, name, holds = () => true, milliseconds = 10_000) {
  return within(milliseconds, name, new Promise(done => {
    const forget = emitter.on(name, event => {
      if (!holds(event)) return;
      forget();
      done(event);
    });
  }));
}

/** Looks again whenever something happened to one of them. */
export function until(holds, emitters, what, milliseconds = 20_000) {
  return within(milliseconds, what, new Promise(done => {
    const look = () => holds() && done();
    for (const [emitter, name] of emitters) emitter.on(name, look);
    look();
  }));
}

export async function fails(promise, code) {
  try {
    await promise;
  } catch (problem) {
    return must(problem.code === code, `${problem.code} instead of ${code}: ${problem.message}`), problem;
  }
  throw new Error(`did not fail with ${code}`);
}

export function must(holds, why = "it does not hold") {
  if (!holds) throw new Error(why);
}

export function same(found, wanted) {
  must(JSON.stringify(found) === JSON.stringify(wanted), `${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
}

/** A server, a proxy before it, and clients of either; all of it ends with the case. */
export class Place {
  clients = [];

  static async open(program, WebSocket) {
    const place = new Place();
    place.program = program;
    place.WebSocket = WebSocket;
    place.server = await Server.start(program);
    place.proxy = await Proxy.to(place.server.port);
    return place;
  }
  #client(port, options) {
    const client = new Hubbub(`ws://127.0.0.1:${port}/`, {WebSocket: this.WebSocket, base: 20, ...options});
    client.states = [];
    client.on("state", state => client.states.push(state));
    client.on("error", problem => (client.problems ??= []).push(problem));
    this.clients.push(client);
    return client;
  }
  /** Through the proxy. */
  client(options) { return this.#client(this.proxy.port, options); }
  direct(options) { return this.#client(this.server.port, options); }
  /** What a topic publishes, as one client hears it. */
  static hear(client, topic, options) {
    const room = client.subscribe(topic, options);
    room.heard = [];
    room.told = [];
    room.on("publication", ({data}) => room.heard.push(data));
    room.on("subscribed", told => room.told.push(told));
    return room;
  }
  async restart(signal) {
    await this.server.end(signal);
    this.server = await Server.start(this.program);
    this.proxy.target = this.server.port;
  }
  async close() {
    for (const client of this.clients) client.close();
    this.proxy.close();
    await this.server.end("SIGKILL");
  }
}

/** Runs each case in a place of its own. */
export function run(cases, program, WebSocket, only) {
  return judge(cases, async body => {
    const place = await Place.open(program, WebSocket);
    try {
      await within(60_000, "end of the case", body(place));
    } finally {
      await place.close();
    }
  }, only);
}

/** Counts what passed and what failed, says so, and ends the program. */
export async function judge(cases, run_case, only) {
  let passed = 0, failed = 0;
  for (const [name, body] of Object.entries(cases)) {
    if (only && !name.includes(only)) continue;
    try {
      await run_case(body);
      ++passed;
      console.log(`ok      ${name}`);
    } catch (problem) {
      ++failed;
      console.log(`FAILED  ${name}: ${problem.message}`);
      if (process.env.HUBBUB_TEST_STACK) console.log(problem.stack);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed || !passed ? 1 : 0);
}
