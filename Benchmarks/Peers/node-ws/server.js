// server.js shipped|tuned: each record of TOPIC to each client.
const { Kafka, logLevel } = require('kafkajs');
const { Sender, WebSocket, WebSocketServer } = require('ws');

const { BROKERS, TOPIC, PORT } = process.env;
const tuned = process.argv[2] === 'tuned';

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(PORT),
  path: '/connection/websocket',
  // A burst of connections at once is more than Node's queue of 511.
  backlog: 4096,
  ...(tuned && { perMessageDeflate: false, skipUTF8Validation: true }),
});
server.on('connection', (client) => client.on('error', () => client.terminate()));

const send = (value) => {
  for (const client of server.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(value, { binary: false });
  }
};

// What ws.send would do for each client is done once for all: Node keeps the bytes until the last socket has taken them.
const frameOptions = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };
const sendAll = (values) => {
  const bytes = Buffer.concat(values.flatMap((value) => Sender.frame(value, frameOptions)));
  for (const client of server.clients) {
    if (client.readyState === WebSocket.OPEN) client._socket.write(bytes);
  }
};

const start = async () => {
  const kafka = new Kafka({ brokers: BROKERS.split(','), logLevel: logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(TOPIC);
  await admin.disconnect();

  const consumer = kafka.consumer({
    groupId: `node-ws-${process.pid}-${Date.now()}`,
    ...(tuned && { minBytes: 64 << 10, maxWaitTimeInMs: 20 }),
  });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC });
  // Where the topic ends is looked up before, not at the first fetch: what comes after `ready` is delivered.
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const { partition, high } of ends) consumer.seek({ topic: TOPIC, partition, offset: high });
    console.log('ready');
  });
  await consumer.run(
    tuned
      ? { autoCommit: false, eachBatch: async ({ batch }) => sendAll(batch.messages.map(({ value }) => value)) }
      : { autoCommit: false, eachMessage: async ({ message }) => send(message.value) },
  );
};

start().catch((error) => {
  console.error(error);
  process.exit(1);
});
