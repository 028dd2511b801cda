import { type FetchName, fetchBody } from './canned.fetches.js';
import { Keys } from './canned.world.js';
import { literalText, operationText } from './documents.js';
import { type Asked, bodyOf, type ShapeName, shapes } from './shapes.js';

/** What a load sends: one of the shapes, documents that were never seen before, or a fetch as subgraphs get it. */
export type SourceOrder =
  | { readonly shape: ShapeName }
  | { readonly documents: DocumentKind; readonly most: number }
  | { readonly fetch: FetchName; readonly rows: number };

export type DocumentKind = 'operations' | 'literals';

export interface Sent {
  readonly body: string;
  /** Of equal names all answers are equally long. */
  readonly name: string;
  /** What an answer to it is compared by. */
  readonly asked: Asked | { readonly query: string };
}

/** Makes the requests of one load, one after another; null when there are no more. */
export type Source = () => Sent | null;

const keys = new Keys();
// Of the documents of this process: none is sent twice, whichever load it belongs to.
let documentCount = 0;

export function sourceOf(order: SourceOrder): Source {
  if ('shape' in order) return shapeSource(order.shape);
  return 'fetch' in order ? fetchSource(order.fetch, order.rows) : documentSource(order.documents, order.most);
}

function shapeSource(name: ShapeName): Source {
  const { stride, ask } = shapes[name];
  let index = 0;
  return () => {
    const asked = ask(keys.take(stride), index);
    index += 1;
    return { body: bodyOf(asked), name: asked.operationName, asked };
  };
}

function fetchSource(name: FetchName, rows: number): Source {
  return () => ({ body: fetchBody(name, keys.take(rows), rows), name, asked: { query: name } });
}

function documentSource(kind: DocumentKind, most: number): Source {
  const write = kind === 'operations' ? operationText : literalText;
  let left = most;
  return () => {
    if (left === 0) return null;
    left -= 1;
    const query = write(documentCount);
    documentCount += 1;
    return { body: JSON.stringify({ query }), name: kind, asked: { query } };
  };
}
