import { LRUCache } from 'lru-cache';
import { copyOf, isRow, type Row } from './execute.row.js';

/** Milliseconds of a clock that is never set back. */
export type Ticks = () => number;

export interface EntityCacheLimits {
  /** As estimated: what is kept takes about this much memory at most. */
  readonly mostBytes: number;
  readonly ticks: Ticks;
}

export interface EntityCacheOptions extends EntityCacheLimits {
  /** Something was let go for want of room. */
  readonly onEvicted: () => void;
}

/** When something was asked for, and for how long it may be kept from then on. */
export interface Age {
  /** By the cache's clock. */
  readonly askedAt: number;
  readonly keptMs: number;
  /** How many mutations had ended then. */
  readonly mutationsBefore: number;
}

interface Kept {
  readonly entity: Row;
  readonly expiresAt: number;
  readonly mutationsBefore: number;
  readonly bytes: number;
}

/** Entities as subgraphs answered, by what was asked. Those used least go first when there is no room. */
export class EntityCache {
  private readonly kept: LRUCache<string, Kept>;
  private closed = false;

  constructor(private readonly options: EntityCacheOptions) {
    const { mostBytes, onEvicted } = options;
    this.kept = new LRUCache({
      maxSize: mostBytes,
      sizeCalculation: ({ bytes }) => bytes,
      dispose: (_kept, _key, reason) => {
        if (reason === 'evict') onEvicted();
      },
    });
  }

  get bytes(): number {
    return this.kept.calculatedSize;
  }

  get size(): number {
    return this.kept.size;
  }

  now(): number {
    return this.options.ticks();
  }

  /**
   * A copy that is the caller's own.
   * @param mutations what was asked when fewer than these had ended is not what the caller may see
   */
  find(key: string, now: number, mutations: number): Row | null {
    const known = this.kept.get(key);
    if (!known) return null;
    if (known.expiresAt <= now) {
      this.kept.delete(key);
      return null;
    }
    return known.mutationsBefore >= mutations ? copyOf(known.entity) : null;
  }

  /** Keeps a copy: whoever asked goes on with the entity itself. */
  keep(key: string, entity: Row, { askedAt, keptMs, mutationsBefore }: Age): void {
    const expiresAt = askedAt + keptMs;
    if (this.closed || expiresAt <= this.now()) return;
    // Answers overtake each other: one that was asked for later says more of now.
    const known = this.kept.peek(key);
    if (known && (known.expiresAt > expiresAt || known.mutationsBefore > mutationsBefore)) return;
    const bytes = ENTRY_BYTES + textBytes(key) + bytesOf(entity);
    this.kept.set(key, { entity: copyOf(entity), expiresAt, mutationsBefore, bytes });
  }

  /** Lets go of everything, and keeps nothing more. */
  close(): void {
    this.closed = true;
    this.kept.clear();
  }
}

// What V8 takes, rounded up.
const ENTRY_BYTES = 256;
const OBJECT_BYTES = 64;
const VALUE_BYTES = 16;

function textBytes({ length }: string): number {
  return 32 + 2 * length;
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return VALUE_BYTES + textBytes(value);
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + bytesOf(each), OBJECT_BYTES);
  if (!isRow(value)) return VALUE_BYTES;
  return Object.values(value).reduce((sum: number, each) => sum + VALUE_BYTES + bytesOf(each), OBJECT_BYTES);
}
