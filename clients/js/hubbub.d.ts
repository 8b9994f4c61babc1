// Types of hubbub.js; what they mean is in README.md and, on the wire, in docs/protocol.md.

export interface Position {
  /** 16 digits from 0 to f. */
  epoch: string;
  offset: number;
}

export type State = "idle" | "connecting" | "connected" | "waiting" | "closed";

/**
 * `code` is what the server said (`refused`, `too_many`, ...), or one of this client: `closed`, `connection_lost`, `timeout`,
 * `buffer_full`, `too_big`, `token`, `protocol`.
 */
export class HubbubError extends Error {
  readonly code: string;
  /** What of the message is wrong. */
  readonly member?: string;
  constructor(code: string, message: string, member?: string);
}

export interface Options {
  /** For runtimes that have none: `import WebSocket from "ws"`. */
  WebSocket?: unknown;
  token?: string | null;
  /** Asked for a token at first, when the session's expires, behind 4401, and behind an attempt that failed. It has to settle. */
  getToken?: (why: {reason: "first" | "expiring" | "expired" | "refused"}) => string | null | Promise<string | null>;
  /** Milliseconds for an answer; 10000. 0: no limit. */
  timeout?: number;
  /** Milliseconds of silence before the server is asked whether it is there; the server's own hint, 25000. */
  ping?: number;
  /** Milliseconds for that answer, and for the opening of a connection; 10000. */
  patience?: number;
  /** What may wait to be sent or acknowledged; 1000 messages of 1 MiB together. Beyond, calls fail with `buffer_full`. */
  buffer?: {messages?: number; bytes?: number};
  /** Milliseconds of the first delay, and the longest; 500 and 30000. Each is drawn between 0 and what these say. */
  base?: number;
  longest?: number;
  /** True or false decides; anything else leaves it to the close code. */
  shouldReconnect?: (closed: {code: number; reason: string}) => boolean | undefined;
  /** False: only `connect()` connects. */
  connect?: boolean;
  /** Where `online`, `visibilitychange` and `pagehide` come from; the window, if there is one. */
  page?: unknown;
  /** Instead of Math.random, for tests. */
  random?: () => number;
}

export interface Publication<T = unknown> {
  topic: string;
  /** Bytes, if the program published bytes. */
  data: T;
  /** Null if the topic does not remember. */
  position: Position | null;
  /** Offsets that were left out before this one: dropped, expired, or replaced by a newer one of their key. */
  skipped: number;
}

export interface Subscribed {
  /** The first time, and without a position of before. */
  first: boolean;
  /** Nothing was missed. False and not `first`: fetch anew what you know of the topic. */
  recovered: boolean;
  position: Position | null;
}

export interface Member {
  session: string;
  /** Left out for who is nobody in particular. */
  user?: string;
  labels?: string[];
}

/** Who has come to a topic, or has another identity now, and who has left it. */
export interface Presence {
  topic: string;
  entered: Member[];
  left: Member[];
  /** So many more, that are not named. */
  untold: number;
  /** That are there now; the second counts each user once. */
  sessions: number;
  users: number;
}

export interface HistoryPage {
  position: Position | null;
  complete: boolean;
  more: boolean;
  publications: {offset: number; data: unknown}[];
}

export interface HistoryOptions {
  after?: number;
  before?: number;
  limit?: number;
  newestFirst?: boolean;
  timeout?: number;
}

export interface Subscription {
  readonly topic: string;
  /** Of the last publication that listeners were given; keep it to come back after the page was loaded anew. */
  readonly position: Position | null;
  readonly state: "waiting" | "subscribing" | "subscribed" | "ended";
  on<T = unknown>(name: "publication", listener: (publication: Publication<T>) => void): () => void;
  on(name: "subscribed", listener: (subscribed: Subscribed) => void): () => void;
  on(name: "presence", listener: (presence: Presence) => void): () => void;
  /** It was refused, and has ended. */
  on(name: "error", listener: (problem: HubbubError) => void): () => void;
  unsubscribe(): Promise<void>;
  history(options?: HistoryOptions): Promise<HistoryPage>;
  members(options?: {limit?: number; timeout?: number}): Promise<{members: Member[]; sessions: number; users: number}>;
}

export class Hubbub {
  constructor(url: string | URL | (() => string | URL | Promise<string | URL>), options?: Options);
  readonly state: State;
  /** Null until a server has been there. */
  readonly limits: Record<string, number> | null;
  readonly buffered: {messages: number; bytes: number};

  connect(): void;
  close(code?: number, reason?: string): void;
  subscribe(topic: string, options?: {since?: Position | null; newest?: number}): Subscription;
  publish(topic: string, data: unknown, options?: {
    /** What it is the newest value of. */
    key?: string;
    /** Its name; drawn by chance if it is left out. */
    idempotency?: string;
    /** Never publish it a second time: it fails with `connection_lost` instead. For topics that do not remember. */
    once?: boolean;
    timeout?: number;
  }): Promise<{position: Position | null; repeated: boolean}>;
  request<T = unknown>(method: string, params?: unknown, options?: {timeout?: number}): Promise<T>;
  history(topic: string, options?: HistoryOptions): Promise<HistoryPage>;

  on(name: "state", listener: (now: {state: State; code?: number; reason?: string; delay?: number}) => void): () => void;
  on(name: "connected", listener: (who: {session: string; user?: string; features: string[]; limits: Record<string, number>}) => void): () => void;
  on(name: "closed", listener: (why: {code: number; reason: string; by: "client" | "server"}) => void): () => void;
  /** Of topics that only the server has subscribed this session to. */
  on<T = unknown>(name: "publication", listener: (publication: Publication<T>) => void): () => void;
  on(name: "subscribed", listener: (subscribed: {topic: string; position: Position | null}) => void): () => void;
  on(name: "presence", listener: (presence: Presence) => void): () => void;
  /** What the server sent to this session, its user or a label. */
  on(name: "message", listener: (message: {data: unknown}) => void): () => void;
  /** This client was so slow that so many messages were dropped, of whichever topic. */
  on(name: "gap", listener: (gap: {missed: number}) => void): () => void;
  on(name: "error", listener: (problem: HubbubError) => void): () => void;
}
