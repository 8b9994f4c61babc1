// For types_test.mjs, which compiles it and does not run it: all that hubbub.d.ts exports, as programs use and misuse it.
import {Hubbub, HubbubError} from "hubbub-client";
import type {
  HistoryOptions, HistoryPage, Member, Options, Position, Presence, Publication, State, Subscribed, Subscription,
} from "hubbub-client";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
declare function holds<Fact extends true>(): void;

interface Line {
  text: string;
}

// ---- what a client is told at first

const options: Options = {
  WebSocket: class {}, token: null, timeout: 0, ping: 1, patience: 1, buffer: {messages: 1, bytes: 1}, base: 1, longest: 1, connect: false,
  page: new EventTarget(), random: () => 0.5,
  getToken: ({reason}) => reason === "expired" ? null : Promise.resolve("token"),
  shouldReconnect: ({code, reason}) => code === 4000 && reason !== "enough" ? true : undefined,
};
const hub = new Hubbub("wss://example.org/live", options);
new Hubbub(new URL("wss://example.org/live"));
new Hubbub(async () => new URL("wss://example.org/live"), {getToken: () => "token"});
new Hubbub(() => "wss://example.org/live", {token: "token", buffer: {}});

// @ts-expect-error: a client has an address
new Hubbub();
// @ts-expect-error: in milliseconds
new Hubbub("wss://example.org/", {timeout: "10 s"});
// @ts-expect-error: there is no such option
new Hubbub("wss://example.org/", {retries: 3});
// @ts-expect-error: a token is text
new Hubbub("wss://example.org/", {getToken: async () => 7});
// @ts-expect-error: that is no reason for which it asks
new Hubbub("wss://example.org/", {getToken: ({reason}) => reason === "bored" ? null : "token"});
// @ts-expect-error: true, false or neither
new Hubbub("wss://example.org/", {shouldReconnect: () => "later"});

// ---- the client

holds<Same<State, "idle" | "connecting" | "connected" | "waiting" | "closed">>();
holds<Same<typeof hub.state, State>>();
const room_for: number = hub.limits === null ? 0 : 1000 - hub.buffered.messages - hub.buffered.bytes;
hub.connect();
hub.close();
hub.close(1000, `enough of ${room_for}`);

// @ts-expect-error: null until a server has been there
hub.limits.message;
// @ts-expect-error: it tells, and is not told
hub.state = "connected";
// @ts-expect-error: what the parts of the module say to each other is not for programs
hub.ask({type: "ping"});
// @ts-expect-error
hub.emit("state", {state: "closed"});

const forget: () => void = hub.on("state", ({state, code, reason, delay}) => {
  holds<Same<typeof state, State>>();
  holds<Same<[typeof code, typeof reason, typeof delay], [number | undefined, string | undefined, number | undefined]>>();
});
forget();
hub.on("connected", ({session, user, features, limits}) => {
  holds<Same<[typeof session, typeof user, typeof features, typeof limits], [string, string | undefined, string[], Record<string, number>]>>();
});
hub.on("closed", ({code, reason, by}) => holds<Same<[typeof code, typeof reason, typeof by], [number, string, "client" | "server"]>>());
hub.on("publication", (publication: Publication<Line>) => publication.data.text);
hub.on("publication", publication => holds<Same<typeof publication, Publication>>());
hub.on("subscribed", ({topic, position}) => holds<Same<[typeof topic, typeof position], [string, Position | null]>>());
hub.on("presence", presence => holds<Same<typeof presence, Presence>>());
hub.on("message", ({data}) => holds<Same<typeof data, unknown>>());
hub.on("gap", ({missed}) => missed.toFixed());
hub.on("error", problem => holds<Same<typeof problem, HubbubError>>());

// @ts-expect-error: there is no such event
hub.on("open", () => {});
// @ts-expect-error: what was published is not known to be anything
hub.on("message", ({data}) => data.text);

// ---- what it asks

async function ask(): Promise<void> {
  const {position, repeated} = await hub.publish("room/7", {text: "hi"}, {key: "EUR", idempotency: "a", once: true, timeout: 5});
  holds<Same<[typeof position, typeof repeated], [Position | null, boolean]>>();
  const sum: number = await hub.request<number>("sum", [1, 2], {timeout: 5});
  holds<Same<Awaited<ReturnType<typeof hub.request>>, unknown>>();
  const query: HistoryOptions = {after: sum, before: 9, limit: 5, newestFirst: true, timeout: 5};
  const page: HistoryPage = await hub.history("room/7", query);
  for (const {offset, data} of page.publications) holds<Same<[typeof offset, typeof data], [number, unknown]>>();
  if (page.complete && !page.more) page.position?.epoch.padStart(16);

  // @ts-expect-error: what it is to publish
  await hub.publish("room/7");
  // @ts-expect-error: as the server calls it, and not as the client does
  await hub.history("room/7", {newest_first: true});
  // @ts-expect-error: nobody has said what comes back
  (await hub.request("difference")).toFixed();
  // @ts-expect-error: a topic without a history has no positions
  position.offset;
}

// ---- a subscription

async function listen(since: Position): Promise<Subscription> {
  const room: Subscription = hub.subscribe("room/7", {newest: 20, since});
  hub.subscribe("room/8", {since: room.position}).on("error", problem => problem.code);
  room.on<Line>("publication", ({topic, data, position, skipped}) => {
    holds<Same<[typeof topic, typeof data, typeof position, typeof skipped], [string, Line, Position | null, number]>>();
  });
  room.on("publication", ({data}) => holds<Same<typeof data, unknown>>());
  room.on("subscribed", (subscribed: Subscribed) => {
    if (!subscribed.first && !subscribed.recovered && subscribed.position) subscribed.position.offset.toFixed();
  });
  room.on("presence", ({topic, entered, left, untold, sessions, users}: Presence) => {
    const named: Member[] = [...entered, ...left];
    return [topic, untold + sessions - users, ...named.flatMap(({session, user, labels}) => [session, user ?? "nobody", ...(labels ?? [])])];
  });
  const {members, sessions, users} = await room.members({limit: 10, timeout: 5});
  holds<Same<[typeof members, typeof sessions, typeof users], [Member[], number, number]>>();
  if ((await room.history({limit: 1})).more || room.state === "ended" || room.topic === "") await room.unsubscribe();

  // @ts-expect-error: a position has an epoch
  hub.subscribe("room/7", {since: {offset: 5}});
  // @ts-expect-error: only the client knows that
  room.on("closed", () => {});
  // @ts-expect-error: it may be that of nobody in particular
  members.map(({user}) => user.length);
  // @ts-expect-error: it is the client's state
  if (room.state === "closed") return room;
  // @ts-expect-error: the client's part of it
  room.begun;
  return room;
}

function told(problem: unknown): string {
  if (!(problem instanceof HubbubError)) return new HubbubError("protocol", "?", "data").message;
  holds<Same<[typeof problem.code, typeof problem.member], [string, string | undefined]>>();
  // @ts-expect-error: it tells, and is not told
  problem.code = "another";
  const error: Error = problem;
  return error.message;
}

listen({epoch: "00000000000000ff", offset: 5}).then(ask).catch(told);
