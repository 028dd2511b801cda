import { createServer, type Socket } from 'node:net';
import { messageOf } from '../../../subgraphs/kernel/error.js';
import { type CannedAnswer, understand } from './canned.answer.js';
import { type CannedName, SUBGRAPHS, subgraphSchemas } from './canned.schema.js';
import { MessageReader } from './http.message.js';
import { listening, tell } from './process.channel.js';

// The subgraphs that every contender asks: all in one process, each on a port of its own. They understand a text once and
// then join ready parts, over bare sockets, so that they are far from being what is measured.

const schemas = subgraphSchemas();

function answering(name: CannedName): (body: string) => string {
  const understood = new Map<string, CannedAnswer>();
  return (body) => {
    const { query, variables } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
    let answer = understood.get(query);
    if (!answer) {
      answer = understand(query, schemas[name]);
      // Texts without end would be a contender's mistake, but must not become ours.
      if (understood.size < 50_000) understood.set(query, answer);
    }
    return answer.write(variables ?? {});
  };
}

function serve(socket: Socket, answer: (body: string) => string): void {
  let out = '';
  const reader = new MessageReader((_head, body) => {
    out += response(body.toString('latin1'), answer);
  });
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    reader.push(chunk);
    if (out === '') return;
    // All that came together is answered together.
    socket.write(out, 'latin1');
    out = '';
  });
  socket.on('error', () => socket.destroy());
}

function response(body: string, answer: (body: string) => string): string {
  let status = '200 OK';
  let text: string;
  try {
    text = answer(body);
  } catch (thrown) {
    status = '400 Bad Request';
    text = JSON.stringify({ errors: [{ message: `canned subgraph: ${messageOf(thrown)}` }] });
  }
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}

const urls: Record<string, string> = {};
for (const name of SUBGRAPHS) {
  const answer = answering(name);
  urls[name] = `${await listening(createServer({ noDelay: true }, (socket) => serve(socket, answer)))}/graphql`;
}
tell({ urls });
