import type { IncomingMessage } from 'node:http';
import { InvalidError } from '../subgraphs/kernel/error.js';
import type { AdmittedOperation, OperationRequest } from './admission.js';
import { badRequest, operationOf } from './operation.shape.js';

/**
 * The JSON of a request, or undefined where there is none to read.
 * @throws InvalidError OPERATION_TOO_COMPLEX, BAD_REQUEST
 */
export async function bodyOf(request: IncomingMessage, mostBytes: number): Promise<unknown> {
  // A GET says all in its address. Many clients name a type all the same, to prove that they are no form.
  if (request.method === 'GET') return undefined;
  // Another type is a form's or none: Apollo Server refuses it as a possible forgery.
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/(graphql-response\+)?json\b/i.test(type)) return undefined;
  const bytes = await bytesOf(request, mostBytes);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw badRequest('The body is not JSON.');
  }
}

/**
 * By events: iterating a stream costs several times as much, for each request. Nothing of it stays with the request,
 * which lives as long as the stream that answers it.
 */
function bytesOf(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const leave = () => request.off('data', take).off('end', end).off('error', fail).off('close', breakOff);
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= mostBytes) return void chunks.push(chunk);
      request.pause();
      fail(tooLarge(mostBytes));
    };
    const end = () => {
      leave();
      const [only] = chunks;
      resolve(only && chunks.length === 1 ? only : Buffer.concat(chunks));
    };
    const fail = (error: Error) => {
      leave();
      reject(error);
    };
    const breakOff = () => fail(badRequest('The request broke off.'));
    request.on('data', take).on('end', end).on('error', fail).on('close', breakOff);
  });
}

function tooLarge(mostBytes: number): InvalidError {
  return new InvalidError('OPERATION_TOO_COMPLEX', `This request is too large: at most ${mostBytes} bytes.`, {
    what: 'bytes',
    most: mostBytes,
  });
}

/**
 * The operation in a POST's JSON or a GET's query; nothing where there was no JSON to read: Apollo Server says why.
 * @throws InvalidError BAD_REQUEST
 */
export function operationIn(method: string | undefined, body: unknown, search: URLSearchParams): OperationRequest {
  if (method === 'GET') return operationOf(fieldsOf(search));
  return body === undefined ? {} : operationOf(body);
}

/** A request as if it had come with the text that it stands for, for those who know no ids and hashes. */
export function withText(
  { query, extensions }: AdmittedOperation,
  body: unknown,
  search: URLSearchParams,
): { readonly body: unknown; readonly search: string } {
  if (isRecord(body)) return { body: { ...body, query, ...(extensions && { extensions }) }, search: '' };
  const written = new URLSearchParams(search);
  written.set('query', query);
  if (extensions) written.set('extensions', JSON.stringify(extensions));
  return { body, search: `?${written}` };
}

function fieldsOf(search: URLSearchParams): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.fromEntries(search);
  for (const name of ['query', 'documentId', 'operationName', 'variables', 'extensions'])
    if (search.getAll(name).length > 1) throw badRequest(`\`${name}\` must be there once.`);
  for (const name of ['variables', 'extensions']) fields[name] = parsed(name, search.get(name));
  return fields;
}

function parsed(name: string, text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    throw badRequest(`\`${name}\` is not JSON.`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
