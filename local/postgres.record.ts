import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Which databases of a cluster were seen whole, with owner and rights: a warm start need not ask the server. It lies in the
 * cluster and goes with it; one that somebody dropped since has no folder there any more.
 */
export class DatabaseRecord {
  private readonly file: string;

  constructor(private readonly cluster: string) {
    this.file = join(cluster, 'sojourn.databases.json');
  }

  has(names: readonly string[]): boolean {
    const known = this.read();
    return names.every((name) => {
      const oid = known[name];
      return oid !== undefined && existsSync(join(this.cluster, 'base', String(oid)));
    });
  }

  /** @param whole each with PostgreSQL's number for it */
  add(whole: Readonly<Record<string, number>>): void {
    const unfinished = `${this.file}.${process.pid}`;
    writeFileSync(unfinished, JSON.stringify({ ...this.read(), ...whole }));
    renameSync(unfinished, this.file);
  }

  private read(): Readonly<Record<string, unknown>> {
    try {
      return JSON.parse(readFileSync(this.file, 'utf8'));
    } catch {
      // None yet, or half of one: then the server is asked.
      return {};
    }
  }
}
