import { readFileSync, statSync } from 'node:fs';
import { getOperationAST, parse } from 'graphql';
import { z } from 'zod';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { messageOf } from '../subgraphs/kernel/error.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';

const LOOK_EVERY_MS = 2 * SECOND;

const manifestSchema = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(
    z.object({
      id: z.string().min(1),
      name: z.string().min(1),
      type: z.enum(['query', 'mutation', 'subscription']),
      body: z.string().min(1),
    }),
  ),
});

export interface TrustedDocumentsOptions {
  /** A persisted query manifest, as Apollo's tools write it. */
  readonly path: string;
  readonly logger: Logger;
  /** How often the file is looked at, in milliseconds. */
  readonly lookEveryMs?: number;
}

/**
 * The operations that the builders of clients have registered. The file may be replaced while we run: a new one is read
 * whole and checked first, and the old one stays when it does not hold.
 */
export class TrustedDocuments {
  private byId: ReadonlyMap<string, string>;
  private bodies: ReadonlySet<string>;
  private seen: string;
  private readonly timer: NodeJS.Timeout;

  /** @throws Error when the file is not there or is no manifest: then nobody would be let in, or everybody */
  constructor(private readonly options: TrustedDocumentsOptions) {
    // First: what is written while we read is seen at the next look.
    this.seen = stateOf(options.path);
    this.byId = readManifest(options.path);
    this.bodies = new Set(this.byId.values());
    // Looks instead of listening: notifications get lost where folders are mounted and files are replaced by links.
    this.timer = setInterval(() => this.look(), options.lookEveryMs ?? LOOK_EVERY_MS).unref();
  }

  /** The text of an operation. */
  find(id: string): string | undefined {
    return this.byId.get(id);
  }

  /** Whether a whole text is that of a registered operation. */
  has(text: string): boolean {
    return this.bodies.has(text);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { path, logger } = this.options;
    const state = stateOf(path);
    if (state === this.seen) return;
    this.seen = state;
    try {
      this.byId = readManifest(path);
      this.bodies = new Set(this.byId.values());
      logger.info({ operations: this.byId.size }, 'read the trusted documents');
    } catch (thrown) {
      logger.error({ cause: messageOf(thrown) }, 'the trusted documents are not usable: the last ones stay');
    }
  }
}

/** Differs when the file was written or replaced. */
function stateOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : 'absent';
}

/** @throws Error that says which operation is wrong */
function readManifest(path: string): Map<string, string> {
  const { operations } = manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const byId = new Map<string, string>();
  for (const { id, name, type, body } of operations) {
    const known = byId.get(id);
    if (known !== undefined && known !== body) throw new Error(`two operations have the id ${id}`);
    const operation = getOperationAST(parse(body, { noLocation: true }), name);
    if (operation?.operation !== type) throw new Error(`the body of ${id} is no ${type} named ${name}`);
    byId.set(id, body);
  }
  return byId;
}
