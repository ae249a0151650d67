// Each mode of an edge, by whatever has the interface that browsers give WebSockets, and by the client library. What is said is what
// modes.py says, whose usage tells the rest.

/** Messages of a connection, one after the other. */
class Inbox {
  #messages = [];
  #waiting;

  constructor(socket) {
    this.socket = socket;
    this.isOpen = new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("the connection could not be made"));
    });
    socket.onmessage = (event) => {
      this.#messages.push(JSON.parse(event.data));
      this.#waiting?.();
    };
  }

  /** The next one that is wanted; the others stay. */
  async next(isWanted) {
    for (;;) {
      const index = this.#messages.findIndex(isWanted);
      if (index >= 0) return this.#messages.splice(index, 1)[0];
      await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("nothing came for a minute")), 60_000);
        this.#waiting = () => (clearTimeout(timer), resolve());
      });
    }
  }
}

let lastID = 0;

class Client extends Inbox {
  static async open(WebSocket, url, prefix) {
    const client = new Client(new WebSocket(url, "millrace.v1.json"));
    client.prefix = prefix;
    await client.isOpen;
    await client.ask({ type: "connect" });
    return client;
  }

  async ask(request) {
    for (;;) {
      const id = ++lastID;
      this.socket.send(JSON.stringify({ ...request, id }));
      const answer = await this.next((message) => message.id === id);
      if (answer.type !== "error") return answer;
      // Not heard of yet.
      if (answer.retry_after_ms === undefined) throw new Error(JSON.stringify(answer));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  heard(sub, ...types) {
    return this.next((message) => message.sub === sub && types.includes(message.type));
  }

  async rows(sub, count) {
    const [found, position] = [[], {}];
    while (found.length < count) {
      const message = await this.heard(sub, "rows");
      found.push(...message.rows.map((row) => row.n));
      Object.assign(position, message.position);
    }
    return [found, position];
  }

  publish(stream, name, values) {
    return this.ask({ type: "publish", stream, data: { id: this.prefix + name, kind: this.prefix, ...values } });
  }
}

/** @param {function(string)} say */
export async function modes(WebSocket, first, second, prefix, say) {
  const short = (id) => id.slice(prefix.length);

  const device = new Inbox(new WebSocket(`${first}?subscribe=readings&ack=true`));
  await device.isOpen;
  device.socket.send(JSON.stringify({ id: `${prefix}plain`, kind: prefix, n: 7 }));
  const { ack } = await device.next((message) => message.ack);
  const row = await device.next((message) => message.id === `${prefix}plain`);
  say(`plain: ${ack.topic} ${row.n}`);
  device.socket.close();

  const client = await Client.open(WebSocket, first, prefix);
  const where = { id: [`${prefix}log`] };
  let begun = await client.ask({ type: "subscribe", stream: "readings", where });
  const acks = [];
  for (const n of [1, 2, 3]) acks.push((await client.publish("readings", "log", { n })).type);
  const [rows, position] = await client.rows(begun.sub, 3);
  say(`log: ${acks.join(" ")} ${rows.join(" ")}`);
  client.socket.close();

  const other = await Client.open(WebSocket, second, prefix);
  for (const n of [4, 5]) await other.publish("readings", "log", { n });
  const from = { epoch: begun.epoch, position: { ...begun.position, ...position } };
  const resumed = await other.ask({ type: "subscribe", stream: "readings", where, from });
  say(`resume: ${resumed.recovered} ${(await other.rows(resumed.sub, 2))[0].join(" ")}`);
  other.socket.close();

  const screen = await Client.open(WebSocket, first, prefix);
  begun = await screen.ask({ type: "subscribe", stream: "readings", mode: "latest", max_hz: 2, where: { id: [`${prefix}latest`] } });
  const start = Date.now();
  let [messages, n] = [0, 0];
  for (let number = 1; number <= 50; number += 1) await screen.publish("readings", "latest", { n: number });
  for (; n < 50; messages += 1) n = (await screen.heard(begun.sub, "rows")).rows.at(-1).n;
  const isSlow = messages <= (2 * (Date.now() - start)) / 1000 + 2;
  say(`latest: ${n} ${isSlow ? "at most 2 a second" : messages}`);

  const place = { longitude: 1, latitude: 1 };
  for (const [index, name] of ["a", "b", "c"].entries()) await screen.publish("things", name, { n: index, ...place });
  begun = await screen.ask({ type: "subscribe", stream: "things", snapshot: true, where: { kind: [prefix] } });
  const state = new Set();
  while (state.size < 3) for (const thing of (await screen.heard(begun.sub, "snapshot", "rows")).rows) state.add(thing.id);
  await screen.publish("things", "b", { n: 9, ...place });
  let changed;
  do changed = await screen.heard(begun.sub, "rows");
  while (changed.rows[0].n !== 9);
  say(`keyed: ${[...state].map(short).sort().join(" ")} ${changed.versions[0]}`);
  await screen.ask({ type: "unsubscribe", sub: begun.sub });

  begun = await screen.ask({ type: "subscribe", stream: "things", snapshot: true, bbox: [5, 5, 9, 9], where: { kind: [prefix] } });
  while ((await screen.heard(begun.sub, "snapshot")).more);
  await screen.publish("things", "a", { n: 10, longitude: 6, latitude: 6 });
  const entered = (await screen.heard(begun.sub, "rows")).rows[0].id;
  await screen.publish("things", "a", { n: 11, longitude: 1, latitude: 6 });
  const left = (await screen.heard(begun.sub, "leave")).keys[0].id;
  say(`filter: ${short(entered)} ${short(left)}`);
  screen.socket.close();
}

/** The same by millrace.js, which has no plain mode. The edge to begin with; the other one is for who comes back. */
export async function library(MillraceClient, WebSocket, first, second, prefix, say) {
  const until = async (isSo, what) => {
    const end = Date.now() + 60_000;
    while (!isSo()) {
      if (Date.now() > end) throw new Error(`not within a minute: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const open = async (url) => {
    const client = new MillraceClient(url, { WebSocket });
    client.connect();
    await until(() => client.state === "live", "a connection");
    return client;
  };
  const publish = (client, stream, name, values) =>
    client.publish(stream, { id: prefix + name, kind: prefix, ...values }).then((ack) => ack.topic && "ack");
  const client = await open(first);
  const request = { where: { id: [`${prefix}log`] } };
  const log = [];
  const subscription = client.subscribe("readings", { request, onRows: (rows) => log.push(...rows.map((row) => row.n)) });
  await until(() => subscription.state === "open", "a subscription");
  const acks = [];
  for (const n of [1, 2, 3]) acks.push(await publish(client, "readings", "log", { n }));
  await until(() => log.length === 3, "three rows");
  say(`log: ${acks.join(" ")} ${log.join(" ")}`);
  const { from } = subscription;
  client.close();

  const other = await open(second);
  for (const n of [4, 5]) await publish(other, "readings", "log", { n });
  const rest = [];
  const resumed = other.subscribe("readings", { request, from, onRows: (rows) => rest.push(...rows.map((row) => row.n)) });
  await until(() => rest.length === 2, "two rows");
  say(`resume: ${resumed.gaps === 0 && resumed.repeats === 0} ${rest.join(" ")}`);

  let [messages, n] = [0, 0];
  const screen = other.subscribe("readings", {
    request: { mode: "latest", max_hz: 2, where: { id: [`${prefix}latest`] } },
    onRows: (rows) => ([messages, n] = [messages + 1, rows.at(-1).n]),
  });
  await until(() => screen.state === "open", "a subscription");
  const start = Date.now();
  for (let number = 1; number <= 50; number += 1) await publish(other, "readings", "latest", { n: number });
  await until(() => n === 50, "the last row");
  const isSlow = messages <= (2 * (Date.now() - start)) / 1000 + 2;
  say(`latest: ${n} ${isSlow ? "at most 2 a second" : messages}`);

  const place = { longitude: 1, latitude: 1 };
  for (const [index, name] of ["a", "b", "c"].entries()) await publish(other, "things", name, { n: index, ...place });
  const left = [];
  const things = other.subscribe("things", {
    key: ["id"],
    request: { where: { kind: [prefix] } },
    onChange: (message) => left.push(...(message.keys ?? []).map((key) => key.id)),
  });
  const names = () => [...things.table.values()].map((row) => row.id.slice(prefix.length)).sort().join(" ");
  await until(() => names() === "a b c", "a table");
  await publish(other, "things", "b", { n: 9, ...place });
  const thing = () => [...things.table.values()].find((row) => row.id === `${prefix}b`);
  await until(() => thing().n === 9, "a change");
  say(`keyed: ${names()} 2`);
  await other.update(things, { bbox: [5, 5, 9, 9] });
  await publish(other, "things", "a", { n: 10, longitude: 6, latitude: 6 });
  await until(() => [...things.table.values()].some((row) => row.n === 10), "a row that enters");
  await publish(other, "things", "a", { n: 11, longitude: 1, latitude: 6 });
  await until(() => left.length > 0, "a row that leaves");
  say(`filter: a ${left[0].slice(prefix.length)}`);
  other.close();
}
