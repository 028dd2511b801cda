import type { Supergraph } from '@apollo/federation-internals';

const HEAD = '# @override ';
const PERCENT = /^percent\((\d+(?:\.\d+)?)\)$/;

/**
 * Progressive `@override`: the labels `percent(n)` hold for n of 100 requests, for each of which all of them are drawn at
 * once: who is given one field from where it moves to, is given from there all that move at least as fast. So an
 * operation has one plan more for each percentage, not one for each combination. A label that names no percentage holds
 * for nobody: its fields stay where they are, as the planner has it.
 */
export class Overrides {
  /** Of what holds below each percentage, and below all of them; the least first. */
  private constructor(
    private readonly percentages: readonly number[],
    private readonly heads: readonly string[],
  ) {}

  /** Null where no field moves by percent. */
  static of({ schema }: Supergraph): Overrides | null {
    const labels = new Map<string, number>();
    for (const application of schema.directive('join__field')?.applications() ?? []) {
      const label: unknown = application.arguments()['overrideLabel'];
      const [, percentage] = (typeof label === 'string' && PERCENT.exec(label)) || [];
      if (typeof label === 'string' && percentage !== undefined) labels.set(label, Number(percentage));
    }
    if (labels.size === 0) return null;
    const percentages = [...new Set(labels.values())].toSorted((left, right) => left - right);
    const headAbove = (least: number) => headOf([...labels].filter(([, of]) => of > least).map(([label]) => label));
    return new Overrides(percentages, [headAbove(Number.NEGATIVE_INFINITY), ...percentages.map(headAbove)]);
  }

  /**
   * What stands at the head of one request's operation when it is planned: whoever knows plans by their text knows them
   * apart.
   * @param drawn of 100
   */
  draw(drawn = Math.random() * 100): string {
    return this.heads[this.percentages.filter((percentage) => percentage <= drawn).length] ?? '';
  }
}

function headOf(labels: readonly string[]): string {
  return labels.length > 0 ? `${HEAD}${labels.toSorted().join(' ')}\n` : '';
}

/** The labels that hold for an operation which is to be planned. Clients' comments are not in such a text. */
export function labelsIn(text: string): string[] {
  if (!text.startsWith(HEAD)) return [];
  return text.slice(HEAD.length, text.indexOf('\n')).split(' ');
}
