import { randomBytes } from 'node:crypto';
import { ConfigurationError } from '../../kernel/configuration.js';
import { DataKey } from './data-key.js';
import { KEY_LENGTH, open, seal } from './sealed.js';

/** The key from the environment. It never touches personal data, it only wraps the subjects' own keys. */
export class MasterKey {
  private readonly secret: Buffer;

  /** @param base64 32 random bytes. @throws ConfigurationError for anything else */
  constructor(base64: string) {
    this.secret = Buffer.from(base64, 'base64');
    if (this.secret.length !== KEY_LENGTH || this.secret.toString('base64') !== base64)
      throw new ConfigurationError('PERSONAL_DATA_KEY: must be 32 bytes in base64');
  }

  /** A new key for a subject, and how it is stored. */
  issue(subjectId: string): { key: DataKey; wrapped: Buffer } {
    const secret = randomBytes(KEY_LENGTH);
    return { key: new DataKey(subjectId, secret), wrapped: seal(this.secret, secret, place(subjectId)) };
  }

  /** @throws SealBroken when it was wrapped with another master key, or for another subject */
  unwrap(subjectId: string, wrapped: Buffer): DataKey {
    return new DataKey(subjectId, open(this.secret, wrapped, place(subjectId)));
  }
}

function place(subjectId: string): string {
  return `${subjectId}/data-key`;
}
