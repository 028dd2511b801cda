/** The nouns of the canned graph. Each thing is one number, its key: everything about it follows from that number. */
export type Kind = 'User' | 'Review' | 'Product';

/** A leaf: as JSON text for answers that are written, as a value for answers that are built. */
export interface Leaf {
  readonly json: (key: number) => string;
  readonly value: (key: number) => string | number;
}

export interface Link {
  readonly to: Kind;
  readonly one?: (key: number) => number;
  readonly many?: (key: number) => readonly number[];
}

/**
 * Keys have eight digits and texts of one field equal lengths, so that all answers to one operation are equally long:
 * the load generator checks every answer's length, and a missing or doubled part shows.
 */
const FIRST_USER = 10_000_000;
const USERS = 38_000_000;
export const KEY_FIELD: Readonly<Record<Kind, string>> = { User: 'id', Review: 'id', Product: 'upc' };

const VARIANTS = 1_024;

const id: Leaf = { json: (key) => `"${key}"`, value: (key) => String(key) };

/** Texts that repeat after 1,024 keys: they are made once, so that answering costs no more than joining them. */
function texts(write: (variant: string) => string): Leaf {
  const values = Array.from({ length: VARIANTS }, (_, variant) => write(String(variant).padStart(4, '0')));
  const json = values.map((value) => JSON.stringify(value));
  return { json: (key) => json[key % VARIANTS] ?? '', value: (key) => values[key % VARIANTS] ?? '' };
}

function whole(first: number): Leaf {
  return { json: (key) => String(first + (key % 50)), value: (key) => first + (key % 50) };
}

/** Two each; a user's second review tells of the neighbour's product, so a page repeats what it tells of. */
const reviewsOf = (user: number): readonly number[] => [user * 2, user * 2 + 1];
const authorOf = (review: number): number => Math.floor(review / 2);
const productOf = (review: number): number => (review % 2 === 0 ? authorOf(review) : authorOf(review) ^ 1);
/** Somebody far away: never one of the page's own users. */
const endorserOf = (review: number): number => FIRST_USER + ((productOf(review) - FIRST_USER + USERS / 2) % USERS);
const reviewsOfProduct = (product: number): readonly number[] => [product * 2, (product ^ 1) * 2 + 1];

export const leaves: Readonly<Record<Kind, Readonly<Record<string, Leaf>>>> = {
  User: {
    id,
    name: texts((variant) => `Ada Lovelace the ${variant}th`),
    username: texts((variant) => `ada${variant}`),
    birthYear: whole(1_940),
  },
  Review: {
    id,
    body: texts((variant) => `Number ${variant} says: it does what it should, day and night, and nothing else.`),
    rating: whole(10),
  },
  Product: {
    upc: id,
    name: texts((variant) => `Difference engine, model ${variant}`),
    price: whole(100),
    weight: whole(1_000),
  },
};

export const links: Readonly<Record<Kind, Readonly<Record<string, Link>>>> = {
  User: { reviews: { to: 'Review', many: reviewsOf } },
  Review: {
    author: { to: 'User', one: authorOf },
    product: { to: 'Product', one: productOf },
    endorsedBy: { to: 'User', one: endorserOf },
  },
  Product: { reviews: { to: 'Review', many: reviewsOfProduct } },
};

/** Keys of users or products for a whole run: each is given out once, as long as there are any. */
export class Keys {
  private taken = 0;

  /** @returns the first of so many that nobody was given before */
  take(count: number): number {
    if (this.taken + count > USERS) this.taken = 0;
    const first = FIRST_USER + this.taken;
    this.taken += count;
    return first;
  }
}

type Values = Readonly<Record<string, unknown>>;

/** The fields of Query and what they find. */
export const roots: Readonly<
  Record<
    string,
    { readonly to: Kind; readonly one?: (args: Values) => number; readonly many?: (args: Values) => number[] }
  >
> = {
  user: { to: 'User', one: (args) => Number(args['id']) },
  users: {
    to: 'User',
    many: (args) => Array.from({ length: Number(args['first']) }, (_, index) => Number(args['from']) + index),
  },
  product: { to: 'Product', one: (args) => Number(args['upc']) },
};
