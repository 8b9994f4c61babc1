// A client of the protocol hubbub.v1.json, for browsers and Node: docs/protocol.md of hubbub specifies what is said here and why.
// One module without dependencies; hubbub.d.ts has the types.

const protocol = "hubbub.v1.json";
const for_ever = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1010, 4403]);  // close codes behind which nobody comes back
const stable = 5_000;     // a connection that lived so long begins with short delays again
const short_lived = 3;    // and one that lived less long with this at most: what came about may have been somebody's refusal
const longest_hint = 600_000;

/** What went wrong: `code` is the server's, or closed, connection_lost, timeout, buffer_full, protocol, token. */
export class HubbubError extends Error {
  constructor(code, message, member) {
    super(message);
    this.name = "HubbubError";
    this.code = code;
    this.member = member;
  }
}

class Emitter {
  #listeners = new Map();

  /** Calls `listener(event)` each time; the function that is returned ends that. */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name).delete(listener);
  }
  /** Not for programs. What a listener throws is thrown again where it harms nobody. */
  emit(name, event) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(event);
      } catch (problem) {
        setTimeout(() => { throw problem; });
      }
    }
  }
}

const copy_of = position => position && {epoch: position.epoch, offset: position.offset};
const position_in = message => message.epoch === undefined ? null : {epoch: message.epoch, offset: message.offset};
const data_in = ({data, encoding}) => encoding === "base64" ? Uint8Array.from(atob(data), each => each.charCodeAt(0)) : data;

function draw_name() {
  if (globalThis.crypto?.randomUUID) return crypto.randomUUID();  // where a page is not secure there is none
  const bytes = globalThis.crypto?.getRandomValues ? crypto.getRandomValues(new Uint8Array(16)) : Array.from({length: 16}, () => Math.random() * 256);
  return Array.from(bytes, each => Math.floor(each).toString(16).padStart(2, "0")).join("");
}

/** A topic that is subscribed to, also across connections. Events: publication, subscribed, presence, error. */
class Subscription extends Emitter {
  #hub;

  constructor(hub, topic, {since, newest}) {
    super();
    this.#hub = hub;
    this.topic = topic;
    this.newest = newest;
    this.position = copy_of(since) ?? null;  // of the last publication that was given to the program
    this.state = "waiting";                  // then subscribing, subscribed, ended
    this.begun = 0;                          // how often
  }
  unsubscribe() { return this.#hub.leave(this); }
  history(options) { return this.#hub.history(this.topic, options); }
  /** Who is subscribed, and how many, if the topic knows it. */
  members({limit, ...options} = {}) {
    return this.#hub.ask({type: "members", topic: this.topic, limit}, {...options, again: true})
      .then(({members, sessions, users}) => ({members, sessions, users}));
  }
}

/**
 * A connection that comes again. Events: state, connected, closed, publication, subscribed and presence (of topics that only the
 * server subscribed to), message, gap, error.
 */
export class Hubbub extends Emitter {
  #url; #options; #WebSocket; #page; #random;
  #socket = null;         // what is open or opens
  #begun = 0;             // attempts; what belongs to an older one is ignored
  #state = "idle";
  #failures = 0;          // attempts that failed one after the other
  #connected_at = 0;
  #token; #token_reason = "first";
  #limits = null; #ping = 25_000;
  #heard_at = 0; #heard = 0;  // when, and how often
  #timers = {};           // by name: retry, opening, silence
  #ids = 0;
  #waiting = new Map();   // by id: what is not answered
  #waiting_bytes = 0;
  #subscriptions = new Map();
  #asked = new Map();     // by id: subscriptions that are about to begin
  #leaving = new Map();   // topics whose last publications are for nobody
  #page_listeners = [];

  /** Connects at once, unless `options.connect` is false. */
  constructor(url, options = {}) {
    super();
    this.#url = url;
    this.#options = {timeout: 10_000, patience: 10_000, base: 500, longest: 30_000, buffer: {}, ...options};
    this.#options.buffer = {messages: 1_000, bytes: 1 << 20, ...options.buffer};
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    if (!this.#WebSocket) throw new HubbubError("protocol", "this runtime has no WebSocket: give one as options.WebSocket");
    this.#page = options.page ?? (typeof window === "undefined" ? null : window);
    this.#random = options.random ?? Math.random;
    this.#token = options.token;
    this.#watch_page();
    if (options.connect !== false) this.connect();
  }

  /** idle, connecting, connected, waiting or closed */
  get state() { return this.#state; }
  /** Those of the server, once it has been there. */
  get limits() { return this.#limits; }
  /** Of what waits to be sent or acknowledged. */
  get buffered() { return {messages: this.#waiting.size, bytes: this.#waiting_bytes}; }

  /** Connects, or does not wait any longer for the next attempt. */
  connect() {
    if (this.#socket || this.#state === "connecting" || this.#state === "closed") return;
    this.#open();
  }

  /** Leaves for good; whatever is not answered fails with `closed`. */
  close(code = 1000, reason = "") {
    this.#end({code, reason, by: "client"});
  }

  /** The same object for the same topic. */
  subscribe(topic, options = {}) {
    const known = this.#subscriptions.get(topic);
    if (known) return known;
    const subscription = new Subscription(this, topic, options);
    this.#subscriptions.set(topic, subscription);
    if (this.#state === "connected") this.#begin(subscription);
    return subscription;
  }

  /** Resolves with `{position, repeated}` when the server has it. What is not acknowledged is published again on the next connection. */
  publish(topic, data, {key, idempotency, once = false, timeout} = {}) {
    const message = {type: "publish", topic, data: data === undefined ? null : data, key, idempotency: idempotency ?? (once ? undefined : draw_name())};
    return this.ask(message, {timeout, again: !once}).then(ack => ({position: position_in(ack), repeated: ack.repeated ?? false}));
  }
  /** Resolves with the result. A request is never sent twice. */
  request(method, params, {timeout} = {}) {
    return this.ask({type: "request", method, params}, {timeout}).then(reply => reply.result);
  }
  /** A page of what a topic remembers; this session has to be subscribed. */
  history(topic, {timeout, newestFirst, ...query} = {}) {
    return this.ask({type: "history", topic, newest_first: newestFirst, ...query}, {timeout, again: true}).then(page => ({
      position: position_in(page), complete: page.complete, more: page.more,
      publications: page.publications.map(each => ({offset: each.offset, data: data_in(each)})),
    }));
  }

  // ---- what the parts of this module say to each other

  /** `settled` is called at once when it is answered or given up, before what comes behind the answer is heard. */
  ask(message, {timeout = this.#options.timeout, again = false, settled} = {}) {
    if (this.#state === "closed") return Promise.reject(new HubbubError("closed", "this client is closed"));
    return new Promise((resolve, reject) => {
      const id = ++this.#ids, text = JSON.stringify({...message, id});
      const {messages, bytes} = this.#options.buffer;
      if (this.#waiting.size >= messages || this.#waiting_bytes + text.length > bytes)
        return reject(new HubbubError("buffer_full", "too much waits to be sent or acknowledged"));
      if (this.#is_too_big(text)) return reject(new HubbubError("too_big", "this is longer than a message may be"));
      const question = {text, again, settled, resolve, reject, sent: false, topic: message.type === "unsubscribe" ? undefined : message.topic};
      if (timeout) question.timer = setTimeout(() => this.#settle(id, new HubbubError("timeout", `no answer within ${timeout} ms`)), timeout);
      this.#waiting.set(id, question);
      this.#waiting_bytes += text.length;
      if (this.#state === "connected") this.#send_question(question);
    });
  }
  /** The server would end the connection for it, again and again. */
  #is_too_big(text) {
    const most = this.#limits?.message;
    return most !== undefined && text.length * 3 > most && new TextEncoder().encode(text).length > most;
  }
  leave(subscription) {
    const {topic, state} = subscription;
    if (state === "ended") return Promise.resolve();
    subscription.state = "ended";
    this.#subscriptions.delete(topic);
    this.#send_held(topic);
    if (this.#state !== "connected" || state === "waiting") return Promise.resolve();
    this.#leaving.set(topic, (this.#leaving.get(topic) ?? 0) + 1);
    const attempt = this.#begun;
    const settled = () => attempt === this.#begun && this.#left(topic);
    return this.ask({type: "unsubscribe", topic}, {settled}).then(() => {}, problem => {
      if (problem.code !== "connection_lost" && problem.code !== "not_subscribed") throw problem;
    });
  }
  #left(topic) {
    const more = (this.#leaving.get(topic) ?? 1) - 1;
    more ? this.#leaving.set(topic, more) : this.#leaving.delete(topic);
  }

  // ---- connecting

  #set_state(state, more = {}) {
    this.#state = state;
    this.emit("state", {state, ...more});
  }
  #set_timer(name, delay, function_of) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(function_of, delay);
  }
  #clear_timers() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
  }

  async #open() {
    const attempt = ++this.#begun;
    this.#clear_timers();
    this.#set_state("connecting");
    let url;
    try {
      if (this.#options.getToken && (this.#token === undefined || this.#token_reason !== "first"))
        this.#token = await this.#options.getToken({reason: this.#token_reason});
      url = typeof this.#url === "function" ? await this.#url() : this.#url;
    } catch (problem) {
      if (attempt !== this.#begun) return;
      this.emit("error", new HubbubError("token", `no token or address: ${problem?.message ?? problem}`));
      return this.#come_back_later();
    }
    if (attempt !== this.#begun) return;
    let socket;
    try {
      socket = new this.#WebSocket(url, this.#token ? [protocol, `bearer.${this.#token}`] : [protocol]);
    } catch (problem) {  // no address, or a token that cannot be sent: that does not become better
      return this.#end({code: 1006, reason: String(problem?.message ?? problem), by: "client"});
    }
    this.#socket = socket;
    this.#token_reason = "refused";  // unless it says who it is: why an attempt failed no page is told
    socket.onmessage = event => attempt === this.#begun && this.#hear(event.data);
    socket.onclose = event => attempt === this.#begun && this.#lost(event.code, String(event.reason));
    // A close follows, but not where Node 20 does not reach the server.
    socket.onerror = () => setTimeout(() => attempt === this.#begun && this.#lost(1006, "the connection failed"), 50);
    this.#set_timer("opening", this.#options.patience, () => this.#lost(1006, "the server did not say who it is"));
  }

  #forget_connection(code, reason) {
    this.#forget_socket(code, reason);
    this.#connected_at = 0;
    for (const subscription of this.#subscriptions.values()) subscription.state = "waiting";
    this.#asked.clear();
    this.#leaving.clear();
    for (const [id, question] of this.#waiting)
      if (question.sent && !question.again) this.#settle(id, new HubbubError("connection_lost", "the connection was lost before an answer came"));
      else question.sent = false;
  }
  #forget_socket(code, reason) {
    const socket = this.#socket;
    ++this.#begun;
    this.#socket = null;
    this.#clear_timers();
    if (!socket) return;
    socket.onmessage = socket.onclose = null;  // not onerror: in Node what nobody hears is thrown
    if (socket.readyState > 1) return;
    if (code === undefined && socket.terminate) return socket.terminate();  // Node: no Close will be answered
    try {
      socket.close(code, reason);
    } catch {
      socket.close();
    }
  }
  #lost(code, reason) {
    if (this.#connected_at) this.#failures = Date.now() - this.#connected_at >= stable ? 0 : Math.min(this.#failures, short_lived);
    this.#forget_connection();
    const decided = this.#options.shouldReconnect?.({code, reason});
    if (decided === false || (decided !== true && this.#is_final(code))) return this.#end({code, reason, by: "server"});
    if (code === 4401) this.#token_reason = "expired";
    if (code === 1013) this.#failures = Math.max(this.#failures, 2);
    const hint = (code === 1012 || code === 1013) && /; retry=(\d{1,12})$/.exec(reason);
    if (hint) return this.#wait(this.#random() * Math.min(Number(hint[1]), longest_hint), code, reason);
    if (code === 1012) return this.#wait(this.#random() * 1_000, code, reason);
    this.#come_back_later(code, reason);
  }
  #is_final(code) {
    if (code === 4401) return !this.#options.getToken;
    return for_ever.has(code) || code >= 3000;
  }
  #come_back_later(code, reason) {
    const {base, longest} = this.#options;
    this.#wait(this.#random() * Math.min(longest, base * 2 ** this.#failures), code, reason);
  }
  #wait(delay, code, reason) {
    ++this.#failures;
    this.#set_state("waiting", {code, reason, delay});
    if (this.#state === "waiting") this.#set_timer("retry", delay, () => this.#open());  // a listener may have gone on
  }
  #end(why) {
    if (this.#state === "closed") return;
    this.#forget_socket(why.by === "client" ? why.code : 1000, why.reason);
    for (const [target, name, listener] of this.#page_listeners) target.removeEventListener(name, listener);
    for (const subscription of this.#subscriptions.values()) subscription.state = "ended";
    this.#subscriptions.clear();
    this.#state = "closed";
    for (const id of [...this.#waiting.keys()]) this.#settle(id, new HubbubError("closed", `the connection has ended: ${why.code} ${why.reason}`));
    this.emit("state", {state: "closed", ...why});
    this.emit("closed", why);
  }

  // ---- what is said

  #send(message) {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }
  /** What is about a topic waits until its subscription has begun: who subscribes and then publishes shall hear himself. */
  #send_question(question) {
    const subscription = this.#subscriptions.get(question.topic);
    if (subscription && subscription.state !== "subscribed") return;
    question.sent = true;
    this.#send(question.text);
  }
  #send_held(topic) {
    if (this.#state !== "connected") return;
    for (const question of this.#waiting.values())
      if (question.topic === topic && !question.sent) this.#send_question(question);
  }
  #settle(id, problem, answer) {
    const question = this.#waiting.get(id);
    if (!question) return false;
    this.#waiting.delete(id);
    this.#waiting_bytes -= question.text.length;
    clearTimeout(question.timer);
    question.settled?.();
    problem ? question.reject(problem) : question.resolve(answer);
    return true;
  }
  #begin(subscription) {
    const {topic, newest, position} = subscription;
    const id = ++this.#ids;
    subscription.state = "subscribing";
    this.#asked.set(id, {subscription, since: position});
    this.#send({type: "subscribe", id, topic, since: position ?? undefined, newest});
  }

  // ---- what is heard

  #hear(text) {
    this.#heard_at = Date.now();
    ++this.#heard;
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return this.emit("error", new HubbubError("protocol", "what came is not JSON"));
    }
    switch (message?.type) {
      case "connected": return this.#greeted(message);
      case "publication": return this.#published(message);
      case "subscribed": return this.#subscribed(message);
      case "ack": case "reply": case "history": case "members": return void this.#settle(message.id, null, message);
      case "error": return this.#failed(message);
      case "gap": return this.emit("gap", {missed: message.missed});
      case "message": return this.emit("message", {data: data_in(message)});
      case "presence": return this.#changed(message);
      case "expiring": return void this.#refresh();
    }  // a pong has been heard, and that is enough; what is not known is ignored
  }
  #greeted(message) {
    clearTimeout(this.#timers.opening);
    this.#connected_at = Date.now();
    this.#token_reason = "first";
    this.#limits = message.limits;
    this.#ping = this.#options.ping ?? message.ping ?? this.#ping;
    this.#state = "connected";
    for (const subscription of this.#subscriptions.values()) this.#begin(subscription);
    for (const [id, question] of this.#waiting) {
      if (this.#is_too_big(question.text)) this.#settle(id, new HubbubError("too_big", "this is longer than a message may be"));
      else this.#send_question(question);
    }
    this.#listen_for_silence();
    this.emit("state", {state: "connected"});
    this.emit("connected", {session: message.session, user: message.user, features: message.features ?? [], limits: message.limits});
  }
  #subscribed(message) {
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    const subscription = asked ? asked.subscription : this.#subscriptions.get(message.topic);
    if (!subscription) return this.emit("subscribed", {topic: message.topic, position: position_in(message)});
    if (subscription.state === "ended" || (!asked && message.recovered === undefined)) return;
    const recovered = message.recovered ?? false, first = subscription.begun++ === 0 && !asked?.since;
    subscription.state = "subscribed";
    if (!recovered) subscription.position = position_in(message);
    this.#send_held(message.topic);
    subscription.emit("subscribed", {recovered, first, position: copy_of(subscription.position)});
  }
  #published(message) {
    const {topic} = message, position = position_in(message);
    const event = {topic, data: data_in(message), position, skipped: 0};
    if (this.#leaving.has(topic)) return;
    const subscription = this.#subscriptions.get(topic);
    if (!subscription) return this.emit("publication", event);
    const last = subscription.position;
    if (position) {
      if (last?.epoch === position.epoch) {
        if (position.offset <= last.offset) return;
        event.skipped = position.offset - last.offset - 1;
      }
      subscription.position = position;
      event.position = copy_of(position);
    }
    subscription.emit("publication", event);
  }
  #changed({topic, entered, left, untold = 0, sessions, users}) {
    const event = {topic, entered, left, untold, sessions, users};
    const subscription = this.#subscriptions.get(topic);
    subscription ? subscription.emit("presence", event) : this.emit("presence", event);
  }
  #failed({id, code, message, member}) {
    const problem = new HubbubError(code, message, member);
    if (this.#settle(id, problem)) return;
    const asked = this.#asked.get(id);
    if (!asked) return this.emit("error", problem);
    this.#asked.delete(id);
    const {subscription} = asked;
    if (subscription.state === "ended") return;
    subscription.state = "waiting";
    if (code === "too_often") {  // others may have been in a hurry, too
      const attempt = this.#begun;
      setTimeout(() => attempt === this.#begun && subscription.state === "waiting" && this.#begin(subscription), 1_000 * (1 + this.#random()));
      return;
    }
    if (code === "already_subscribed") {  // the server has done it, and has not said where it begins
      subscription.state = "subscribed";
      this.#send_held(subscription.topic);
      return subscription.emit("subscribed", {recovered: false, first: subscription.begun++ === 0, position: copy_of(subscription.position)});
    }
    subscription.state = "ended";
    this.#subscriptions.delete(subscription.topic);
    this.#send_held(subscription.topic);
    subscription.emit("error", problem);
  }
  async #refresh() {
    if (!this.#options.getToken) return;
    const attempt = this.#begun;
    try {
      const token = await this.#options.getToken({reason: "expiring"});
      if (attempt !== this.#begun) return;
      await this.ask({type: "refresh", token});
      this.#token = token;
    } catch (problem) {
      if (attempt === this.#begun) this.emit("error", new HubbubError("token", `the token was not refreshed: ${problem?.message ?? problem}`));
    }
  }

  // ---- whether anybody is there

  #listen_for_silence() {
    const silent = Date.now() - this.#heard_at;
    if (silent < this.#ping) return this.#set_timer("silence", this.#ping - silent + 1, () => this.#listen_for_silence());
    this.#probe(this.#options.patience);
  }
  /** Asks whether the server is there; an answer, whichever it is, must come within that time. */
  #probe(within) {
    if (this.#state !== "connected") return;
    const heard = this.#heard;
    this.#send({type: "ping"});
    this.#set_timer("silence", within, () => {
      if (this.#heard !== heard) return this.#listen_for_silence();
      this.#lost(1006, `the server was silent for ${Date.now() - this.#heard_at} ms`);
    });
  }
  #watch_page() {
    if (!this.#page?.addEventListener) return;
    const watch = (target, name, listener) => {
      target.addEventListener(name, listener);
      this.#page_listeners.push([target, name, listener]);
    };
    // Timers stood still, or another network is there: what seems to be open may have gone.
    const look = () => {
      if (this.#state === "waiting") this.#set_timer("retry", this.#random() * this.#options.base, () => this.#open());
      this.#probe(this.#options.patience / 2);
    };
    watch(this.#page, "online", look);
    watch(this.#page, "offline", () => this.#probe(this.#options.patience / 5));
    if (this.#page.document) watch(this.#page.document, "visibilitychange", () => this.#page.document.visibilityState === "visible" && look());
    // A page that may be shown again keeps no connection meanwhile; for one that goes for good the browser itself says 1001.
    watch(this.#page, "pagehide", () => {
      if (!this.#socket && this.#state !== "connecting") return;
      this.#forget_connection(1000, "the page goes away");
      this.#set_state("waiting", {code: 1000, reason: "the page goes away", delay: Infinity});
    });
    watch(this.#page, "pageshow", event => event.persisted && look());
  }
}
