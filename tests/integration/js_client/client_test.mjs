// node client_test.mjs ws|built-in PROGRAM [PART OF A NAME]
// clients/js against examples/15_protocol, behind a proxy that does what networks do.
import {createRequire} from "node:module";
import {Hubbub} from "../../../clients/js/hubbub.js";
import {Place, fails, must, next, run, same, until} from "./harness.mjs";

const [kind, program, only] = process.argv.slice(2);
const WebSocket = kind === "ws" ? createRequire(import.meta.url)("ws") : globalThis.WebSocket;
const connected = client => until(() => client.state === "connected", [[client, "connected"]], "connection");
const numbers = count => Array.from({length: count}, (_, i) => i);
const ask_to_close = (client, code, reason) => fails(client.request("close", {code, reason}), "connection_lost");

const cases = {
  "subscribe, publish with acknowledgement, history, request": async place => {
    const client = place.client({token: "ada-60"}), who = await next(client, "connected");
    same([who.user, who.limits.topic, client.state, client.limits.history], ["ada", 255, "connected", 100]);
    const room = Place.hear(client, "room/1");
    must(room === client.subscribe("room/1"), "another subscription of the same topic");
    const told = await next(room, "subscribed");
    same([told.first, told.recovered, told.position.offset, room.state], [true, false, 0, "subscribed"]);
    const acknowledged = await client.publish("room/1", {text: "h\u20ac"});
    same([acknowledged.position.offset, acknowledged.repeated], [1, false]);
    await until(() => room.heard.length === 1, [[room, "publication"]], "publication");
    same(room.heard, [{text: "h\u20ac"}]);
    same(room.position, acknowledged.position);
    const page = await room.history({limit: 1});
    same([page.publications, page.more, page.complete], [[{offset: 1, data: {text: "h\u20ac"}}], false, true]);
    same(await client.request("sum", [1, 2, 3]), 6);
    same((await client.publish("news", 1)).position, null);
    await room.unsubscribe();
    await client.publish("room/1", "nobody hears it");
    await client.request("sum", []);
    same([room.heard.length, room.state, client.buffered.messages, client.buffered.bytes], [1, "ended", 0, 0]);
    const late = Place.hear(client, "room/1", {newest: 1});
    await until(() => late.heard.length === 1, [[late, "publication"]], "newest");
    same(late.heard, ["nobody hears it"]);
  },
  "errors have a code and name the member": async place => {
    const client = place.client();
    same((await fails(client.request("sum", [1, "2"]), "wrong_kind")).member, "params[1]");
    await fails(client.request("dance"), "unknown_method");
    const wrong = client.subscribe("");
    same((await next(wrong, "error")).code, "invalid_value");
    same(wrong.state, "ended");
    await fails(client.history("room/1"), "not_subscribed");
    await fails(client.publish("news", "x".repeat(70_000)), "too_big");  // else it would end the connection
    same((await client.request("sum", [1])), 1);
    same(place.proxy.accepted, 1);
  },
  "connections are cut under traffic: every publication comes once, in order": async place => {
    const writer = place.direct(), reader = place.client();
    const room = Place.hear(reader, "room/1");
    await next(room, "subscribed");
    for (const i of numbers(400)) {
      await writer.publish("room/1", i);
      if (i % 50 === 49) {
        place.proxy.cut();
        if (i % 100 === 49) await next(room, "subscribed");  // the others go on while it is away
      }
    }
    await until(() => room.heard.at(-1) === 399, [[room, "publication"]], "last publication");
    same(room.heard, numbers(400));
    must(room.told.length >= 5 && room.told.slice(1).every(told => told.recovered && !told.first), JSON.stringify(room.told));
  },
  "the publisher is cut: what is acknowledged is published once": async place => {
    const writer = place.client(), reader = place.direct(), room = Place.hear(reader, "room/1");
    await next(room, "subscribed");
    await connected(writer);
    const all = [];
    for (const i of numbers(200)) {
      all.push(writer.publish("room/1", i));
      if (i % 40 === 39) {
        if (i % 80 === 39) await all.at(-1);
        place.proxy.cut();
      }
    }
    const offsets = (await Promise.all(all)).map(({position}) => position.offset);
    await until(() => room.heard.length >= 200, [[room, "publication"]], "publications");
    same(room.heard, numbers(200));
    same(offsets, numbers(200).map(i => i + 1));
  },
  "an acknowledgement is lost: the publication is repeated, and nobody hears it twice": async place => {
    const writer = place.client(), reader = place.direct(), room = Place.hear(reader, "room/1");
    await next(room, "subscribed");
    await connected(writer);
    place.proxy.deaf = true;
    const heard = next(room, "publication"), acknowledged = writer.publish("room/1", "x");
    const once = fails(writer.publish("room/1", "y", {once: true}), "connection_lost");
    await heard;
    place.proxy.deaf = false;
    place.proxy.cut();
    same((await acknowledged).repeated, true);
    await once;
    await writer.publish("room/1", "z");
    await until(() => room.heard.includes("z"), [[room, "publication"]], "publication");
    same(room.heard.filter(each => each !== "y"), ["x", "z"]);
  },
  "a half-open connection is noticed, and another one made": async place => {
    const reader = place.client({ping: 100, patience: 300}), writer = place.direct(), room = Place.hear(reader, "room/1");
    await next(room, "subscribed");
    await writer.publish("room/1", 1);
    await until(() => room.heard.length === 1, [[room, "publication"]], "publication");
    place.proxy.silence();
    await writer.publish("room/1", 2);
    const lost = await next(reader, "state", ({state}) => state === "waiting");
    must(lost.reason.includes("silent"), lost.reason);
    await until(() => room.heard.length === 2, [[room, "publication"]], "publication");
    same(room.heard, [1, 2]);
  },
  "who reads too slowly is closed with 1013, and told that something is missing": async place => {
    const reader = place.client(), writer = place.direct(), room = Place.hear(reader, "room/1");
    await next(room, "subscribed");
    place.proxy.stall(true);
    const filling = "x".repeat(60_000), lost = next(reader, "state", ({state}) => state === "waiting", 30_000);
    const there = Place.hear(writer, "room/1");
    await next(there, "subscribed");
    let i = 0;
    do {  // until it is one too many; the server waits five seconds for an answer to its Close
      must(i < 500, "the server bears it");
      await writer.publish("room/1", [i++, filling]);
    } while ((await there.members({limit: 0})).sessions === 2);
    place.proxy.stall(false);
    same((await lost).code, 1013);
    await until(() => room.told.length === 2, [[room, "subscribed"]], "subscription");
    same([room.told[1].recovered, room.told[1].first], [false, false]);
    await writer.publish("room/1", [i]);
    await until(() => room.heard.at(-1)[0] === i, [[room, "publication"]], "publication");
    must(room.heard.length <= i && room.heard.every(([i], at) => at === 0 || i > room.heard[at - 1][0]), "it was heard twice, or all of it");
  },
  "a connection that is used is not asked in vain": async place => {
    const client = place.client({ping: 30, patience: 1000});
    await connected(client);
    for (const i of numbers(40)) {
      same(await client.request("sum", [i]), i);
      await new Promise(done => setTimeout(done, 40));  // silence, which is the point
    }
    same(place.proxy.accepted, 1);
  },
  "a server that does not answer the opening is left": async place => {
    place.proxy.deaf = true;
    const client = place.client({patience: 200});
    must((await next(client, "state", ({state}) => state === "waiting")).reason.includes("who it is"));
    place.proxy.deaf = false;
    await connected(client);
  },
  "delays double and are drawn from all of their length": async place => {
    place.proxy.refuses = true;
    const client = place.client({base: 10, longest: 100, random: () => 1});
    const delays = () => client.states.filter(({state}) => state === "waiting").map(({delay}) => delay);
    await until(() => delays().length === 5, [[client, "state"]], "five attempts");
    same(delays(), [10, 20, 40, 80, 100]);
    place.proxy.refuses = false;
    await connected(client);
    place.proxy.cut();  // it lived for a moment only
    same((await next(client, "state", ({state}) => state === "waiting")).delay, 80);
    const lazy = place.client({random: () => 0});
    await connected(lazy);
    place.proxy.cut();
    same((await next(lazy, "state", ({state}) => state === "waiting")).delay, 0);
  },
  "1012 with a hint spreads who comes back over its time": async place => {
    const client = place.client({random: () => 0.25}), room = Place.hear(client, "room/1");
    await next(room, "subscribed");
    const waiting = next(client, "state", ({state}) => state === "waiting");
    await ask_to_close(client, 1012, "the server restarts; retry=400");
    const {delay, code, reason} = await waiting;
    same([delay, code, reason], [100, 1012, "the server restarts; retry=400"]);
    await until(() => room.told.length === 2, [[room, "subscribed"]], "subscription");
    same(room.told[1].recovered, true);
  },
  "1012 without a hint, 1013 and 1011 come back, each in its time": async place => {
    const client = place.client({base: 8, random: () => 0.5});
    for (const [code, reason, wanted] of [[1012, "", 500], [1013, "too slow", 16], [1013, "; retry=60", 30], [1011, "", undefined], [1001, "idle", undefined]]) {
      await connected(client);
      const waiting = next(client, "state", ({state}) => state === "waiting"), again = next(client, "connected");
      await ask_to_close(client, code, reason);
      const told = await waiting;
      same(told.code, code);
      if (wanted !== undefined) same(told.delay, wanted);
      await again;
    }
  },
  "codes that are final end it": async place => {
    for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 4403, 4000, 3000]) {
      const client = place.client(), room = client.subscribe("room/1");
      await connected(client);
      const closed = next(client, "closed");
      await fails(client.request("close", {code, reason: "enough"}), "connection_lost");
      same(await closed, {code, reason: "enough", by: "server"});
      same([client.state, room.state], ["closed", "ended"]);
      await fails(client.publish("room/1", 1), "closed");
    }
    same(place.proxy.accepted, 9);
    const stubborn = place.client({shouldReconnect: ({code}) => code === 4000 ? true : undefined});
    await connected(stubborn);
    const again = next(stubborn, "connected");
    await ask_to_close(stubborn, 4000, "");
    await again;
  },
  "4401: a new token first, then everything goes on": async place => {
    const asked = [];
    const client = place.client({getToken: ({reason}) => (asked.push(reason), "ada-60")}), room = Place.hear(client, "room/1");
    await next(room, "subscribed");
    const again = next(room, "subscribed");
    await ask_to_close(client, 4401, "the identity has expired");
    same([(await again).recovered, asked], [true, ["first", "expired"]]);
    const without = place.client({token: "ada-60"});
    await connected(without);
    const closed = next(without, "closed");
    await ask_to_close(without, 4401, "");
    same((await closed).code, 4401);
  },
  "a token that expires is refreshed in time, without another connection": async place => {
    const asked = [];
    const client = place.client({token: "ada-2", getToken: async ({reason}) => (asked.push(reason), "ada-60")});
    await connected(client);
    await new Promise(done => setTimeout(done, 4_500));  // the first token and its grace are over: that takes time
    same(await client.request("sum", [1]), 1);
    same([asked, place.proxy.accepted], [["expiring"], 1]);
  },
  "a token that cannot be refreshed: told, then 4401, then a new one": async place => {
    const asked = [];
    const client = place.client({token: "ada-1", getToken: ({reason}) => {
      asked.push(reason);
      return reason === "expiring" ? "bob-60" : "ada-60";
    }});
    await connected(client);
    const waiting = await next(client, "state", ({state}) => state === "waiting");
    same(waiting.code, 4401);
    await connected(client);
    same([asked, client.problems.map(each => each.code)], [["expiring", "expired"], ["token"]]);
  },
  "an expired token is refused, and the next attempt has a new one": async place => {
    const asked = [];
    const client = place.client({token: "ada-0", getToken: ({reason}) => {
      asked.push(reason);
      if (asked.length === 1) throw new Error("the one who signs is away");
      return "ada-60";
    }});
    const who = await next(client, "connected");
    same([who.user, asked, client.problems.map(each => each.code)], ["ada", ["refused", "refused"], ["token"]]);
  },
  "the server starts again without its memory: not recovered, and what was not acknowledged is published": async place => {
    const client = place.client(), room = Place.hear(client, "room/1");
    await next(room, "subscribed");
    await client.publish("room/1", "before");
    await until(() => room.heard.length === 1, [[room, "publication"]], "publication");
    const waiting = next(client, "state", ({state}) => state === "waiting");
    const restarted = place.restart("SIGTERM");
    const why = await waiting;
    same([why.code, why.reason], [1012, "the server restarts; retry=1000"]);
    must(why.delay <= 1000, `${why.delay}`);
    const acknowledged = client.publish("room/1", "meanwhile");
    await restarted;
    same((await acknowledged).repeated, false);
    await until(() => room.heard.length === 2, [[room, "publication"]], "publication");
    same([room.heard, room.told[1].recovered, room.told[1].first], [["before", "meanwhile"], false, false]);
    must(room.position.epoch !== room.told[0].position.epoch, "the epoch is the same");
  },
  "what waits is bounded, and may time out": async place => {
    place.proxy.refuses = true;
    const client = place.client({buffer: {messages: 3, bytes: 2_000}, timeout: 0});
    const waiting = numbers(2).map(i => client.publish("room/1", i));
    await fails(client.publish("room/1", "x".repeat(2_000)), "buffer_full");
    const late = fails(client.publish("room/1", "late", {timeout: 50}), "timeout");
    await fails(client.publish("room/1", 3), "buffer_full");
    await late;
    same(client.buffered.messages, 2);
    place.proxy.refuses = false;
    await Promise.all(waiting);
    same([client.buffered.messages, client.buffered.bytes], [0, 0]);
    const room = Place.hear(client, "room/1", {newest: 9});
    await until(() => room.heard.length === 2, [[room, "publication"]], "publications");
    same(room.heard, [0, 1]);
  },
  "who subscribes and then publishes hears himself, at first and behind each loss": async place => {
    const client = place.client(), heard = [];
    for (const i of numbers(12)) {
      const room = client.subscribe(`room/${i}`);
      room.on("publication", ({data}) => heard.push(data));
      client.publish(`room/${i}`, i);
    }
    const last = client.publish("room/0", "last");
    await last;
    await until(() => heard.length === 13, [[client, "state"], ...numbers(12).map(i => [client.subscribe(`room/${i}`), "publication"])], "publications");
    same(heard.filter(each => each !== "last").sort((a, b) => a - b), numbers(12));
    const left = client.subscribe("room/1");
    place.proxy.cut();
    await next(client, "state", ({state}) => state === "waiting");
    const published = client.publish("room/1", "behind it"), again = next(left, "publication");
    await published;
    same((await again).data, "behind it");
  },
  "a position that was kept is where a new client begins": async place => {
    const writer = place.direct();
    const {position} = await writer.publish("room/1", 1);
    await writer.publish("room/1", 2);
    const room = Place.hear(place.client(), "room/1", {since: position});
    await until(() => room.heard.length === 1, [[room, "publication"]], "publication");
    same([room.heard, room.told], [[2], [{recovered: true, first: false, position}]]);
  },
  "close ends it for good": async place => {
    const client = place.client();
    await connected(client);
    place.proxy.deaf = true;
    const pending = fails(client.request("sum", [1]), "closed"), closed = next(client, "closed");
    client.close(1000, "enough");
    await pending;
    same(await closed, {code: 1000, reason: "enough", by: "client"});
    client.connect();
    await fails(client.publish("a", 1), "closed");
    same([client.state, place.proxy.accepted], ["closed", 1]);
  },
  "online and visible: the next attempt is made at once": async place => {
    const page = new EventTarget();
    page.document = new EventTarget();
    place.proxy.refuses = true;
    const client = place.client({page, base: 60_000, random: () => 0.5});
    await next(client, "state", ({state}) => state === "waiting");
    place.proxy.refuses = false;
    const instant = place.client({page, base: 60_000, random: () => 0});
    await connected(instant);
    page.document.visibilityState = "hidden";
    page.document.dispatchEvent(new Event("visibilitychange"));
    same([client.state, place.proxy.accepted], ["waiting", 2]);
    client.connect();
    await connected(client);
  },
  "a page that was away looks whether its connection is": async place => {
    const page = new EventTarget();
    page.document = Object.assign(new EventTarget(), {visibilityState: "visible"});
    const client = place.client({page, patience: 600}), room = Place.hear(client, "room/1");
    await next(room, "subscribed");
    place.proxy.silence();
    page.document.dispatchEvent(new Event("visibilitychange"));
    must((await next(client, "state", ({state}) => state === "waiting")).reason.includes("silent"));
    await until(() => room.told.length === 2, [[room, "subscribed"]], "subscription");
    page.dispatchEvent(new Event("pagehide"));
    same([client.state, client.states.at(-1).delay], ["waiting", Infinity]);
    page.dispatchEvent(Object.assign(new Event("pageshow"), {persisted: true}));
    await until(() => room.told.length === 3, [[room, "subscribed"]], "subscription");
    same(room.told[2].recovered, true);
  },
  "who is there is told, and may be asked": async place => {
    const ada = place.client({token: "ada-60"}), room = Place.hear(ada, "room/1");
    room.told_of = [];
    room.on("presence", change => room.told_of.push(change));
    await next(room, "subscribed");
    const bob = place.direct({token: "bob-60"});
    await next(Place.hear(bob, "room/1"), "subscribed");
    const names = list => list.map(({user}) => user).sort();
    const heard_of = (kind, user) => () => room.told_of.some(change => names(change[kind]).includes(user));
    await until(heard_of("entered", "bob"), [[room, "presence"]], "bob");
    const {members, sessions, users} = await room.members();
    same([names(members), sessions, users], [["ada", "bob"], 2, 2]);
    same((await room.members({limit: 0})).members, []);
    bob.close();
    await until(heard_of("left", "bob"), [[room, "presence"]], "bob's leaving");
    same([room.told_of.at(-1).sessions, room.told_of.at(-1).users], [1, 1]);
    await fails(ada.subscribe("news").members(), "unsupported");
  },
  "what that server never says: gaps, bytes, doubles, offsets that are left out, what is not known": async () => {
    const said = [], events = [], epoch = "00000000000000ff";
    class Script {  // a WebSocket whose server is this test
      constructor(url, protocols) {
        same(protocols, ["hubbub.v1.json"]);
        Script.last = this;
      }
      send(text) { said.push(JSON.parse(text)); }
      close() {}
      says(...messages) { for (const message of messages) this.onmessage({data: typeof message === "string" ? message : JSON.stringify(message)}); }
    }
    const client = new Hubbub("ws://nowhere.test/", {WebSocket: Script, random: () => 0});
    for (const name of ["gap", "message", "publication", "subscribed", "error"]) client.on(name, event => events.push([name, event.code ?? event.missed ?? event.data ?? event.topic]));
    const room = Place.hear(client, "room/1"), skipped = [];
    room.on("publication", event => skipped.push(event.skipped));
    room.on("presence", ({entered, left, untold}) => events.push(["presence", entered.length, left.length, untold]));
    const socket = Script.last;
    socket.says({type: "connected", version: 1, session: "a", ping: 25000, limits: {message: 100}});
    same(said, [{type: "subscribe", id: 1, topic: "room/1"}]);
    const publication = (offset, more) => ({type: "publication", topic: "room/1", epoch, offset, ...more});
    socket.says({type: "subscribed", id: 1, topic: "room/1", epoch, offset: 5, recovered: false}, publication(6, {data: 6}), publication(6, {data: 6}),
                publication(5, {data: 5}), publication(9, {encoding: "base64", data: "AP8Q"}), "no JSON", {type: "gap", missed: 2}, {type: "dance"}, [], 7, null,
                {type: "message", data: {a: 1}}, {type: "presence", topic: "room/1", entered: [{session: "b", user: "bob"}], left: [], sessions: 2, users: 2},
                {type: "error", code: "not_json", message: "?"}, {type: "ack", id: 99}, {type: "subscribed", topic: "mine"}, {type: "publication", topic: "mine", data: "x"});
    same(room.heard.map(each => each instanceof Uint8Array ? [...each] : each), [6, [0, 255, 16]]);
    same([skipped, room.position], [[0, 2], {epoch, offset: 9}]);
    same(events, [["error", "protocol"], ["gap", 2], ["message", {a: 1}], ["presence", 1, 0, 0], ["error", "not_json"], ["subscribed", "mine"], ["publication", "x"]]);
    // The topic has forgotten what this one had not got, and goes on behind it; then it has begun anew.
    socket.says({type: "subscribed", topic: "room/1", epoch, offset: 20, recovered: false}, publication(21, {data: 21}), {...publication(1, {data: "anew"}), epoch: "0000000000000100"});
    same([room.heard.slice(2), room.told.map(({first, recovered, position}) => [first, recovered, position.offset]), room.position.offset],
         [[21, "anew"], [[true, false, 5], [false, false, 20]], 1]);
    // Left and come again: what comes in the same task behind the answers is the new subscription's.
    room.unsubscribe();
    const again = Place.hear(client, "room/1", {since: {epoch, offset: 40}});
    const [leaving, asking] = said.slice(-2);
    socket.says(publication(40, {data: "of before"}), {type: "ack", id: leaving.id}, {type: "subscribed", id: asking.id, topic: "room/1", epoch, offset: 40, recovered: true},
                publication(41, {data: 41}), publication(42, {data: 42}));
    same([again.heard, again.position.offset], [[41, 42], 42]);
    const known = Place.hear(client, "mine");  // which the server has subscribed it to
    socket.says({type: "error", id: said.at(-1).id, code: "already_subscribed", message: "?"}, {type: "publication", topic: "mine", data: "y"});
    same([known.state, known.heard, known.told.length], ["subscribed", ["y"], 1]);
    const late = client.subscribe("room/2");
    socket.says({type: "error", id: said.at(-1).id, code: "too_often", message: "not so fast"});
    same([late.state, said.length], ["waiting", 5]);
    await new Promise(done => setTimeout(done, 1_100));  // it tries again behind a second
    same([late.state, said.at(-1).topic], ["subscribing", "room/2"]);
    client.close();
  },
  "who leaves and comes again hears nothing of before": async place => {
    const client = place.client(), writer = place.direct(), first = Place.hear(client, "room/1");
    await next(first, "subscribed");
    await writer.publish("room/1", 1);
    const left = first.unsubscribe(), second = Place.hear(client, "room/1");
    await left;
    await until(() => second.told.length === 1, [[second, "subscribed"]], "subscription");
    await writer.publish("room/1", 2);
    await until(() => second.heard.length === 1, [[second, "publication"]], "publication");
    same(second.heard, [2]);
  },
};

await run(cases, program, WebSocket, only);
