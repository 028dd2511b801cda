import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SECOND } from '../subgraphs/kernel/clock.js';
import type { SupergraphSource, SupergraphWatcher } from './supergraph.source.js';

export interface FilePatience {
  /** A file that did not change for so long is whole: whoever writes it in place is done. */
  readonly settledMs: number;
  /** Notifications get lost on mounted folders; a look costs next to nothing. */
  readonly pollMs: number;
}

const PATIENCE: FilePatience = { settledMs: 200, pollMs: 5 * SECOND };

/**
 * A supergraph in a file. Its folder is watched, not the file: a deployment puts another file in its place, or lets a
 * link lead elsewhere, and a watched file would be the old one for ever.
 */
export class SupergraphFile implements SupergraphSource {
  private seen: { readonly mark: string; readonly text: string } | null = null;

  constructor(
    private readonly path: string,
    private readonly patience: FilePatience = PATIENCE,
  ) {}

  async read(): Promise<string> {
    const mark = await this.mark();
    const text = await readFile(this.path, 'utf8');
    this.seen = { mark, text };
    return text;
  }

  watch(watcher: SupergraphWatcher): () => void {
    const { settledMs, pollMs } = this.patience;
    let timer: NodeJS.Timeout | null = null;
    let candidate: string | null = null;
    let isMissing = false;
    let stopped = false;

    const next = (ms: number) => {
      if (timer) clearTimeout(timer);
      if (!stopped) timer = setTimeout(() => void look(), ms).unref();
    };
    const look = async (): Promise<void> => {
      try {
        const mark = await this.mark();
        if (mark === this.seen?.mark) candidate = null;
        else if (mark !== candidate) candidate = mark;
        else await this.take(mark, watcher, () => stopped);
        isMissing = false;
      } catch (thrown) {
        candidate = null;
        if (!isMissing && !stopped) watcher.failed(thrown);
        isMissing = true;
      }
      next(candidate === null ? pollMs : settledMs);
    };

    const folder = watchFolder(dirname(this.path), () => next(settledMs));
    next(pollMs);
    return () => {
      stopped = true;
      if (timer) clearTimeout(timer);
      folder?.close();
    };
  }

  /** Reads what looked the same twice, and believes it when it still does afterwards. */
  private async take(mark: string, watcher: SupergraphWatcher, isStopped: () => boolean): Promise<void> {
    const text = await readFile(this.path, 'utf8');
    if ((await this.mark()) !== mark) return;
    const before = this.seen?.text;
    this.seen = { mark, text };
    if (text !== before && !isStopped()) watcher.changed(text);
  }

  private async mark(): Promise<string> {
    const { ino, size, mtimeMs } = await stat(this.path);
    return `${ino} ${size} ${mtimeMs}`;
  }
}

/** Null where the system cannot: there the polling has to do. */
function watchFolder(folder: string, onChange: () => void): FSWatcher | null {
  try {
    const watching = watch(folder, { persistent: false }, onChange);
    watching.on('error', () => watching.close());
    return watching;
  } catch {
    return null;
  }
}
