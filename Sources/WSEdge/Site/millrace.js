/**
 * Millrace's client library: follows streams of an edge, and publishes records, by the protocol `millrace.v1.json`.
 *
 * No dependencies. In browsers as it is; in Node 20 and later with a WebSocket constructor, such as that of `ws`:
 *
 *     import { MillraceClient } from "./millrace.js";
 *     const client = new MillraceClient("wss://example.org/ws", { WebSocket, onState: console.log });
 *     const subscription = client.subscribe("traffic_data", { onRows: (rows) => console.log(rows) });
 *     client.connect();
 *     const { partition, offset } = await client.publish("traffic_data", { stream_id: "…", … });
 *
 * A subscription keeps its position. Whatever becomes of the connection, it goes on from there on the next edge that
 * answers: each row is handed over once, those of one source in their order. Where that can't be had, `onGap` tells.
 *
 * With the columns of a key it keeps a table instead, which begins with what is there:
 *
 *     const stock = client.subscribe("stocks", { key: ["sku"], onChange: () => console.log([...stock.table.values()]) });
 */

const protocol = "millrace.v1.json";
const milliseconds = { handshake: 10_000, firstRetry: 250, lastRetry: 10_000, settled: 5_000, longestOrder: 60_000 };
const unansweredLimit = 1000;

/** What went wrong with one request. `code` is for programs, `message` for people. */
export class MillraceError extends Error {
  constructor(code, message, retryAfterMs = undefined) {
    super(message);
    this.name = "MillraceError";
    this.code = code;
    /** When the same may succeed; undefined: never unchanged. */
    this.retryAfterMs = retryAfterMs;
  }
}

/** Made by `MillraceClient.subscribe`. */
class Subscription {
  /** `waiting` for a connection, `opening`, `open`, `failed` (the edge refuses it), `ended` (by you). */
  state = "waiting";
  /** Which positions these are; changes when they lose their meaning. */
  epoch = undefined;
  /** The next offset of each source, merged from all messages; undefined before the first answer. */
  position = undefined;
  /** Rows handed over; times it was resumed; times rows may be missing. */
  rows = 0;
  resumed = 0;
  gaps = 0;
  /** Rows that came although the position was behind them already: more than 0 is a fault of the edge. */
  repeats = 0;
  /** The edge's number for it, on the present connection. */
  sub = undefined;
  wasOpen = false;
  attempts = 0;
  timer = undefined;
  /** Of a subscription with a key: the newest row of each, by the key's values as JSON. */
  table = new Map();
  /** Filters that are asked for and not in force yet: who waits for them. */
  updates = [];
  isUpdating = false;
  /** No part of the state is still to come. */
  isWhole = true;
  /** Row versions, of deleted rows too: what is older than what is known does not count. */
  #versions = new Map();

  constructor(client, stream, options) {
    this.client = client;
    this.stream = stream;
    this.options = options;
    if (options.from) ({ epoch: this.epoch, position: this.position } = options.from);
  }

  /** Where to go on, for the edge or to be kept; undefined when there is nothing to go on from. */
  get from() {
    return this.position && this.isWhole ? { epoch: this.epoch, position: this.position } : undefined;
  }

  end() {
    this.client.unsubscribe(this);
  }

  /** Rows of one message, behind which the position moves. */
  take(rows, position) {
    // Each row has an offset of its own, so the positions move at least as far as there are rows.
    let moved = 0;
    for (const [source, next] of Object.entries(position ?? {})) moved += next - (this.position[source] ?? -Infinity);
    if (moved < rows.length) this.repeats += rows.length - Math.max(moved, 0);
    this.move(position);
    this.rows += rows.length;
  }

  move(position) {
    this.position = { ...this.position, ...position };
  }

  /** Rows of keys: a part of the state, changes, or keys that the filter no longer lets through. */
  takeTable({ rows = [], versions = [], deleted = [], keys = [], more, position }) {
    rows.forEach((row, index) => this.#put(row, row, versions[index]));
    deleted.forEach((key, index) => this.#put(key, undefined, versions[rows.length + index]));
    for (const key of keys) this.table.delete(this.#keyOf(key));
    this.move(position);
    if (more === false) this.isWhole = true;
    this.rows += rows.length;
  }

  /** What the table held may be of no row any more. */
  forget() {
    this.table.clear();
    this.#versions.clear();
  }

  #keyOf(row) {
    return JSON.stringify(this.options.key.map((name) => row[name]));
  }

  #put(named, row, version) {
    const key = this.#keyOf(named);
    if (version !== undefined) {
      if (version < (this.#versions.get(key) ?? 0)) return;
      this.#versions.set(key, version);
    }
    if (row) this.table.set(key, row);
    else this.table.delete(key);
  }
}

export class MillraceClient {
  /** `idle`, `connecting`, `live`, `reconnecting`, `refused` (no use in trying unchanged), `closed` (by you). */
  state = "idle";
  /** Times a connection was lost and made again. */
  reconnects = 0;
  #urls;
  #options;
  #turn = 0;
  #socket;
  /** Connections made or tried; what belongs to an earlier one is over. */
  #life = 0;
  #isConnected = false;
  #wasConnected = false;
  #isStopped = true;
  #attempts = 0;
  #connectedAt = 0;
  #heardAt = 0;
  #silenceMs = 60_000;
  #orderedDelay;
  #retryAfter = 0;
  #timer;
  #watch;
  #nextID = 1;
  /** Requests without an answer: what to do with it. */
  #unanswered = new Map();
  #subscriptions = new Set();

  /**
   * @param {string|string[]} urls of edges, which take turns; relative ones are of the page.
   * @param {object} [options]
   * @param {string|function(): (string|Promise<string>)} [options.token] asked for at each connection, and by
   *   `refresh()`.
   * @param {function(string, object)} [options.onState] with the new state, and {retryInMs}, or {code, reason} of
   *   what closed the last connection.
   * @param {function(MillraceError)} [options.onError] errors that belong to no request.
   * @param {Function} [options.WebSocket] the constructor to use.
   */
  constructor(urls, options = {}) {
    this.#urls = [urls].flat();
    this.#options = options;
  }

  /** Connects, and keeps connected until `close()`. Also after `refused`. */
  connect() {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#attempts = 0;
    this.#open();
  }

  /** Does not wait for the next attempt's time. */
  retryNow() {
    if (this.state === "refused") this.connect();
    else if (this.#timer !== undefined && !this.#socket && !this.#isStopped) this.#open();
  }

  /** There is a new token: the edge is told, and everything goes on. */
  async refresh() {
    const life = this.#life;
    const token = await this.#token();
    if (!this.#isConnected || life !== this.#life) return;
    this.#ask({ type: "connect", token }, (_, error) => error && this.#options.onError?.(error));
  }

  /** Ends the connection and all subscriptions. */
  close() {
    this.#isStopped = true;
    for (const subscription of [...this.#subscriptions]) this.unsubscribe(subscription);
    this.#drop();
    this.#become("closed");
  }

  /**
   * Follows a stream's rows from now on, or from a position.
   *
   * @param {string} stream
   * @param {object} options
   * @param {function(object[], object)} options.onRows rows, and the message they came in. The subscription's position
   *   is behind them already.
   * @param {{epoch: string, position: object}} [options.from] where to begin.
   * @param {function(): Promise<{epoch: string, position: object}>} [options.snapshot] reads what there is already, and
   *   tells the position to go on from. Called at the begin, and again when rows may be missing. What it has read may
   *   come again as rows: keep the newer.
   * @param {function(string)} [options.onGap] rows may be missing: `retention` or `epoch`.
   * @param {function()} [options.onResumed] it goes on from its position, on another connection.
   * @param {function(MillraceError)} [options.onError] it can't be had now; without `retryAfterMs`, not at all.
   * @param {string[]} [options.key] the columns of a key: the subscription keeps a `table`, which begins with the state
   *   that is there, and `onChange` takes the place of `onRows`.
   * @param {function(object)} [options.onChange] the table is another one, by this message.
   * @param {object} [options.request] further members of the request: `mode`, `max_hz`, `where`, `bbox`, `last`, `snapshot`.
   * @returns {Subscription} with `position`, `rows`, `gaps`, `end()`.
   */
  subscribe(stream, options) {
    const subscription = new Subscription(this, stream, options);
    this.#subscriptions.add(subscription);
    if (this.#isConnected) {
      this.#begin(subscription);
      this.#settle();
    }
    return subscription;
  }

  /**
   * Another filter for a subscription that is open, such as the box of a map that was moved.
   *
   * @param {{where?: object, bbox?: number[]}} filter
   * @returns {Promise<void>} rejected with a `MillraceError`. A table keeps what the filter before let through: what of it
   *   should go is for you to say, by `subscription.table`.
   */
  update(subscription, filter) {
    subscription.options.request = { ...subscription.options.request, ...filter };
    return new Promise((resolve, reject) => {
      subscription.updates.push({ resolve, reject });
      this.#update(subscription);
    });
  }

  /** One at a time: the edge knows the subscription by another number after each. */
  #update(subscription) {
    if (subscription.state !== "open" || subscription.isUpdating || subscription.updates.length === 0) return;
    const asked = subscription.updates.splice(0);
    const { where = {}, bbox, snapshot } = subscription.options.request;
    subscription.isUpdating = true;
    this.#ask({ type: "update", sub: subscription.sub, where, bbox, snapshot }, (answer, error) => {
      subscription.isUpdating = false;
      if (error?.code === "connection_lost") return subscription.updates.unshift(...asked);
      if (answer) {
        const isWhole = Boolean(answer.recovered) || !subscription.options.key || snapshot === false;
        Object.assign(subscription, { sub: answer.sub, position: answer.position, isWhole });
      }
      // It has this filter already: so it was meant.
      for (const { resolve, reject } of asked) error && error.code !== "duplicate" ? reject(error) : resolve();
      this.#update(subscription);
    });
  }

  unsubscribe(subscription) {
    if (!this.#subscriptions.delete(subscription)) return;
    clearTimeout(subscription.timer);
    if (subscription.state === "open") this.#ask({ type: "unsubscribe", sub: subscription.sub }, () => {});
    subscription.state = "ended";
    this.#settle();
  }

  /**
   * Publishes a record.
   *
   * @param {object} data
   * @param {{key?: string}} [options] the Kafka key, where the stream has none of its own.
   * @returns {Promise<{topic: string, partition: number, offset: number}>} when Kafka has it. Rejected with a
   *   `MillraceError`; after `connection_lost` nobody knows whether Kafka has it.
   */
  publish(stream, data, { key } = {}) {
    return new Promise((resolve, reject) => {
      if (!this.#isConnected) return reject(new MillraceError("not_connected", "there is no connection", 1000));
      if (this.#unanswered.size >= unansweredLimit) {
        return reject(new MillraceError("overloaded", `${unansweredLimit} requests wait for an answer`, 1000));
      }
      this.#ask({ type: "publish", stream, key, data }, (answer, error) => (error ? reject(error) : resolve(answer)));
    });
  }

  // One connection

  async #open() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const life = ++this.#life;
    this.#orderedDelay = undefined;
    this.#retryAfter = 0;
    this.#become(this.#wasConnected ? "reconnecting" : "connecting", {});
    this.#timer = setTimeout(() => this.#lose(1006, "no connection in time"), milliseconds.handshake);
    try {
      const value = await this.#token();
      if (life !== this.#life) return;
      const Socket = this.#options.WebSocket ?? globalThis.WebSocket;
      const socket = new Socket(this.#url(), protocol);
      this.#socket = socket;
      const isCurrent = () => socket === this.#socket;
      socket.onopen = () => {
        if (isCurrent()) this.#ask({ type: "connect", token: value }, (answer, error) => this.#connected(answer, error));
      };
      socket.onmessage = (event) => isCurrent() && this.#take(event.data);
      socket.onclose = (event) => isCurrent() && this.#lose(event.code, event.reason);
      socket.onerror = () => {}; // `onclose` follows.
    } catch (error) {
      if (life === this.#life) this.#lose(1006, String(error));
    }
  }

  async #token() {
    const { token } = this.#options;
    return typeof token === "function" ? token() : token;
  }

  #url() {
    const url = new URL(this.#urls[this.#turn % this.#urls.length], globalThis.document?.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    return url.href;
  }

  #connected(answer, error) {
    if (error) return error.code === "connection_lost" || this.#refused(error);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isConnected = true;
    this.#connectedAt = Date.now();
    // Open subscriptions hear something each 25 s; pings are not shown to programs.
    this.#silenceMs = ((answer.ping_s ?? 25) * 2 + 10) * 1000;
    this.#watch = setInterval(() => this.#checkSilence(), 5000);
    if (this.#wasConnected) this.reconnects += 1;
    this.#wasConnected = true;
    for (const subscription of this.#subscriptions) this.#begin(subscription);
    this.#settle();
  }

  /** The edge does not let us in: with a reason it closes the connection, else we do. */
  #refused(error) {
    this.#retryAfter = error.retryAfterMs ?? 0;
    this.#options.onError?.(error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose(1006, error.message), 1000);
  }

  #checkSilence() {
    const isOpen = [...this.#subscriptions].some((subscription) => subscription.state === "open");
    if (isOpen && Date.now() - this.#heardAt > this.#silenceMs) this.#lose(1006, "nothing was heard");
  }

  /** The connection ended, or is given up. */
  #lose(code, reason) {
    if (this.#isConnected && Date.now() - this.#connectedAt > milliseconds.settled) this.#attempts = 0;
    const ordered = this.#orderedDelay;
    if (ordered !== undefined) this.#attempts = 0;
    const retryAfter = this.#retryAfter;
    this.#drop();
    if (this.#isStopped) return;
    if (code >= 4400 && code < 4500) {
      this.#isStopped = true;
      return this.#become("refused", { code, reason });
    }
    const backoff = Math.min(milliseconds.lastRetry, milliseconds.firstRetry * 2 ** this.#attempts);
    const retryInMs = ordered ?? Math.max(retryAfter, backoff * (0.5 + Math.random() / 2));
    this.#attempts = Math.min(this.#attempts + 1, 16);
    this.#turn += 1;
    this.#timer = setTimeout(() => this.#open(), retryInMs);
    this.#become(this.#wasConnected ? "reconnecting" : "connecting", { code, reason, retryInMs });
  }

  /** Forgets the connection, and answers what waits for it. */
  #drop() {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#life += 1;
    this.#isConnected = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearInterval(this.#watch);
    for (const subscription of this.#subscriptions) {
      clearTimeout(subscription.timer);
      subscription.sub = undefined;
      subscription.state = "waiting";
    }
    const waiting = [...this.#unanswered.values()];
    this.#unanswered.clear();
    for (const done of waiting) done(undefined, new MillraceError("connection_lost", "the connection was lost"));
    socket?.close(1000);
  }

  // Messages

  /** @param {function(object?, MillraceError?)} done called once, at once with the answer: rows may follow it. */
  #ask(message, done) {
    const id = this.#nextID++;
    this.#unanswered.set(id, done);
    this.#socket.send(JSON.stringify({ ...message, id }));
  }

  #take(text) {
    this.#heardAt = Date.now();
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return; // Not of this protocol; nor is what isn't known below.
    }
    if (message.type === "goaway") return this.#leave(message.reconnect_in_ms);
    const error = message.type === "error" ? this.#errorOf(message) : undefined;
    const done = this.#unanswered.get(message.id);
    if (done) {
      this.#unanswered.delete(message.id);
      done(error ? undefined : message, error);
      if (this.#orderedDelay !== undefined) this.#leave(this.#orderedDelay);
      return;
    }
    const subscription = this.#find(message.sub);
    if (error) {
      if (subscription) return this.#retry(subscription, error);
      this.#retryAfter = error.retryAfterMs ?? 0;
      this.#options.onError?.(error);
      return;
    }
    if (!subscription) return;
    const { key, onRows, onChange } = subscription.options;
    if (["rows", "snapshot", "leave"].includes(message.type)) {
      if (key) subscription.takeTable(message);
      else if (message.type === "rows") subscription.take(message.rows, message.position);
      if (onChange) onChange(message);
      else if (message.rows) onRows(message.rows, message);
    } else if (message.type === "progress") {
      subscription.move(message.position);
    } else if (message.type === "reset") {
      this.#reset(subscription, message.reason);
    }
  }

  #errorOf({ code, message, retry_after_ms: retryAfter }) {
    return new MillraceError(code, message, retryAfter);
  }

  #find(sub) {
    for (const subscription of this.#subscriptions) {
      if (subscription.state === "open" && subscription.sub === sub) return subscription;
    }
  }

  /** The edge drains: elsewhere in the time that it names, once what it was asked has been answered. */
  #leave(delay) {
    this.#orderedDelay = Math.min(Math.max(Number(delay) || 0, 0), milliseconds.longestOrder);
    if (this.#unanswered.size === 0) this.#lose(4503, "the edge drains");
  }

  // Subscriptions

  async #begin(subscription) {
    const life = this.#life;
    const isResuming = subscription.wasOpen && subscription.from !== undefined;
    subscription.state = "opening";
    if (!subscription.from && subscription.options.snapshot) {
      try {
        const start = await subscription.options.snapshot();
        if (life !== this.#life || subscription.state !== "opening") return;
        ({ epoch: subscription.epoch, position: subscription.position } = start);
      } catch (error) {
        if (life !== this.#life || subscription.state !== "opening") return;
        return this.#retry(subscription, new MillraceError("snapshot", String(error?.message ?? error), 1000));
      }
    }
    const { from, stream } = subscription;
    const { key, request } = subscription.options;
    const asked = subscription.updates.splice(0);
    const state = key ? { snapshot: true } : {};
    const last = from ? { last: undefined } : {};
    this.#ask({ type: "subscribe", stream, ...state, ...request, ...last, from }, (answer, error) => {
      if (life !== this.#life || !this.#subscriptions.has(subscription)) {
        if (answer && this.#isConnected) this.#ask({ type: "unsubscribe", sub: answer.sub }, () => {});
      } else if (error) {
        subscription.updates.unshift(...asked);
        this.#retry(subscription, error);
      } else {
        for (const { resolve } of asked) resolve();
        this.#begun(subscription, answer, isResuming);
        this.#update(subscription);
      }
    });
  }

  #begun(subscription, answer, isResuming) {
    const hadPosition = subscription.from !== undefined;
    const { sub, epoch, position = {} } = answer;
    if (!hadPosition) subscription.forget();
    const isWhole = Boolean(answer.recovered) || !subscription.options.key || subscription.options.request?.snapshot === false;
    Object.assign(subscription, { state: "open", sub, epoch, position, isWhole, attempts: 0, wasOpen: true });
    if (hadPosition && !answer.recovered) {
      subscription.forget();
      this.#gap(subscription, answer.reason);
      this.#readAgain(subscription);
    } else if (isResuming) {
      subscription.resumed += 1;
      subscription.options.onResumed?.();
    }
    this.#settle();
  }

  /** The subscription goes on; what it missed shows in what there is now. */
  #readAgain(subscription) {
    subscription.options.snapshot?.().catch((error) =>
      this.#options.onError?.(new MillraceError("snapshot", `what is missing could not be read: ${error?.message}`)),
    );
  }

  #gap(subscription, reason) {
    subscription.gaps += 1;
    subscription.options.onGap?.(reason);
  }

  #reset(subscription, reason) {
    const isTable = subscription.options.key !== undefined;
    if (reason === "retention" && !isTable) {
      // The edge goes on behind what is lost.
      this.#gap(subscription, reason);
      return this.#readAgain(subscription);
    }
    // Any other one ended it, and it begins again: from its position, or anew when that means nothing any more.
    if (reason === "epoch" || isTable) {
      // With the position of another epoch, the edge would tell the gap once more.
      subscription.position = undefined;
      subscription.forget();
      this.#gap(subscription, reason);
    }
    this.#ask({ type: "unsubscribe", sub: subscription.sub }, () => {});
    this.#retry(subscription, new MillraceError(reason, "the edge ended the subscription", 100));
  }

  /** Opens it again later, on the same connection, unless the edge says that this is of no use. */
  #retry(subscription, error) {
    if (error.code === "connection_lost") return;
    subscription.sub = undefined;
    subscription.state = error.retryAfterMs === undefined ? "failed" : "opening";
    subscription.options.onError?.(error);
    if (subscription.state === "opening") {
      const delay = Math.min(milliseconds.lastRetry, error.retryAfterMs * (1 + subscription.attempts));
      subscription.attempts += 1;
      subscription.timer = setTimeout(() => this.#begin(subscription), delay * (0.75 + Math.random() / 2));
    }
    this.#settle();
  }

  // State

  /** Live is: connected, and each subscription that can be had is open. */
  #settle() {
    if (!this.#isConnected) return;
    const isWaiting = [...this.#subscriptions].some((subscription) => subscription.state === "opening");
    this.#become(isWaiting ? (this.reconnects ? "reconnecting" : "connecting") : "live");
  }

  /** @param {object} [detail] news, even where the state stays. */
  #become(state, detail) {
    if (state === this.state && !detail) return;
    this.state = state;
    this.#options.onState?.(state, detail ?? {});
  }
}
