import { invariant } from '../../kernel/error.js';
import { KEY_LENGTH, open, seal } from './sealed.js';

/** The key of one subject: it opens what was sealed for that subject, field by field, and nothing else. */
export class DataKey {
  constructor(
    private readonly subjectId: string,
    readonly secret: Buffer,
  ) {
    invariant(secret.length === KEY_LENGTH, 'a data key has 256 bits');
  }

  /** @param field where the value will stand, such as `traveler.email` */
  seal(plain: string, field: string): Buffer {
    return seal(this.secret, Buffer.from(plain, 'utf8'), this.place(field));
  }

  /** @throws SealBroken */
  open(sealed: Buffer, field: string): string {
    return open(this.secret, sealed, this.place(field)).toString('utf8');
  }

  private place(field: string): string {
    return `${this.subjectId}/${field}`;
  }
}
