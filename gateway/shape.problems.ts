import type { GraphQLError } from 'graphql';
import type { Place } from './execute.place.js';

interface Node {
  isEnd: boolean;
  readonly next: Map<string | number, Node>;
}

/** The errors of an answer, by their places: a list of ten thousand missing values must not be searched once for each. */
export class Problems {
  private tree: Node | null = null;
  private isAnywhere = false;

  constructor(
    readonly errors: GraphQLError[],
    /** Where everything is missing because of one of them. */
    private readonly lost: readonly Place[],
  ) {}

  add(error: GraphQLError): void {
    this.errors.push(error);
    if (this.tree) this.note(error.path);
  }

  /**
   * Whether an error that is known already is why there is nothing at a place: one at it, above it or below it, or one
   * without a place, which can be about anything.
   */
  explain(place: Place): boolean {
    if (!this.tree) {
      this.tree = { isEnd: false, next: new Map() };
      for (const { path } of this.errors) this.note(path);
      for (const place of this.lost) this.note(place);
    }
    if (this.isAnywhere) return true;
    let node = this.tree;
    if (node.isEnd) return true;
    for (const part of place) {
      const next = node.next.get(part);
      if (!next) return false;
      if (next.isEnd) return true;
      node = next;
    }
    return node.next.size > 0;
  }

  private note(path: Place | undefined): void {
    if (!path) this.isAnywhere = true;
    let node = this.tree as Node;
    for (const part of path ?? []) {
      const next = node.next.get(part) ?? { isEnd: false, next: new Map() };
      node.next.set(part, next);
      node = next;
    }
    if (path) node.isEnd = true;
  }
}
