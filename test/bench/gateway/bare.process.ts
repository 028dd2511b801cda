import { createServer, type ServerResponse } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { understand } from './canned.answer.js';
import { subgraphSchemas } from './canned.schema.js';
import { listening, onAsk, tell } from './process.channel.js';
import { memoryInUse } from './process.memory.js';
import { Publisher, subjectOf } from './publisher.js';

// The limit for streams: node:http and `ws` with nothing behind them. It answers the handshakes, remembers who follows what
// and writes the same texts that a gateway would; no GraphQL, no rights, no heartbeats, no regard for slow readers.

type Write = (data: string) => void;

const followers = new Map<string, Set<Write>>();
const product = understand(
  'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Product { upc name price } } }',
  subgraphSchemas().products,
);

function follow(body: { variables?: { upc?: string } }, write: Write): () => void {
  const subject = subjectOf(body.variables?.upc ?? '');
  const all = followers.get(subject) ?? new Set();
  followers.set(subject, all);
  all.add(write);
  return () => void all.delete(write);
}

function speak(socket: WebSocket): void {
  const leave: (() => void)[] = [];
  socket.on('message', (message) => {
    const { type, id, payload } = JSON.parse(String(message)) as { type: string; id: string; payload: object };
    if (type === 'connection_init') return socket.send('{"type":"connection_ack"}');
    if (type !== 'subscribe') return;
    const opening = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    leave.push(follow(payload, (data) => socket.send(`${opening}${data}}`)));
  });
  socket.once('close', () => leave.forEach((go) => void go()));
}

function stream(body: string, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(':\n\n');
  response.once(
    'close',
    follow(JSON.parse(body), (data) => response.write(`event: next\ndata: ${data}\n\n`)),
  );
}

const webSockets = new WebSocketServer({ noServer: true });
const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => stream(body, response));
});
server.on('upgrade', (request, socket, head) => webSockets.handleUpgrade(request, socket, head, speak));

const publisher = new Publisher(async (subject, { sequence, product: representation }) => {
  const [found] = product.build({ representations: [representation] })['_entities'] as object[];
  const data = JSON.stringify({ data: { priceChanged: { sequence, product: found } } });
  for (const write of followers.get(subject) ?? []) write(data);
});
onAsk({ memory: memoryInUse, publish: (order: Parameters<Publisher['publish']>[0]) => publisher.publish(order) });
tell({ url: `${await listening(server)}/graphql` });
