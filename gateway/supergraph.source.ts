import { SupergraphFile } from './supergraph.file.js';
import { SupergraphUrl } from './supergraph.url.js';

/** Where a supergraph's text comes from, now and when it changes. */
export interface SupergraphSource {
  /** @throws Error that says why it cannot be had */
  read(): Promise<string>;
  /** Tells of every text that comes after the one that was read. @returns what ends it */
  watch(watcher: SupergraphWatcher): () => void;
}

export interface SupergraphWatcher {
  changed(text: string): void;
  /** It cannot be had at the moment. Told once for each time that it begins. */
  failed(thrown: unknown): void;
}

/** @param place a path, or a URL that answers a GET with the text */
export function supergraphAt(place: string): SupergraphSource {
  return /^https?:\/\//i.test(place) ? new SupergraphUrl(place) : new SupergraphFile(place);
}
