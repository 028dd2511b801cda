import type { EntityManager } from '@mikro-orm/postgresql';
import type { DataKey } from './data-key.js';
import type { MasterKey } from './master-key.js';

interface Row {
  subject_id: string;
  wrapped_key: Buffer;
}

/** The subjects' keys, wrapped. Without its key a subject's data cannot be read again, also not from a backup of its rows. */
export class SubjectKeys {
  constructor(private readonly masterKey: MasterKey) {}

  /** A key for a new subject; null when there already is one, or was one that is destroyed. */
  async issue(em: EntityManager, subjectId: string, now: Date): Promise<DataKey | null> {
    const { key, wrapped } = this.masterKey.issue(subjectId);
    // Waits for another transaction that issues the same key, and then finds it.
    const issued = await em.execute<unknown[]>(
      `insert into subject_key (subject_id, wrapped_key, issued_at) values (?, ?, ?)
       on conflict do nothing returning subject_id`,
      [subjectId, wrapped, now],
    );
    return issued.length > 0 ? key : null;
  }

  /** A subject's key as its row holds it. */
  open(subjectId: string, wrapped: Buffer): DataKey {
    return this.masterKey.unwrap(subjectId, wrapped);
  }

  /** The keys that exist and are not destroyed, by subject, in one statement. */
  async find(em: EntityManager, subjectIds: readonly string[]): Promise<ReadonlyMap<string, DataKey>> {
    if (subjectIds.length === 0) return new Map();
    const rows = await em.execute<Row[]>(
      'select subject_id, wrapped_key from subject_key where subject_id in (?) and wrapped_key is not null',
      [subjectIds],
    );
    return new Map(rows.map((row) => [row.subject_id, this.open(row.subject_id, row.wrapped_key)]));
  }

  /** Crypto-shredding: the row stays as a tombstone, so that no new key is ever issued for this subject. */
  async destroy(em: EntityManager, subjectId: string, now: Date): Promise<void> {
    await em.execute(
      'update subject_key set wrapped_key = null, destroyed_at = ? where subject_id = ? and destroyed_at is null',
      [now, subjectId],
    );
  }
}
