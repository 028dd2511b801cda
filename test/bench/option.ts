// What the values of the benchmarks' options have in common.

/** @throws TypeError for a name that is none of `all` */
export function names<Name extends string>(
  option: string,
  given: string | undefined,
  all: readonly Name[],
  usual: readonly Name[],
): readonly Name[] {
  if (given === undefined) return usual;
  const wanted = given.split(',');
  const unknown = wanted.find((name) => !all.some((known) => known === name));
  if (unknown !== undefined) throw new TypeError(`${option}: ${unknown} is none of ${all.join(', ')}`);
  return all.filter((name) => wanted.includes(name));
}

/** @throws TypeError for what is no number above zero */
export function positive(option: string, given: string): number {
  const number = Number(given);
  if (!(number > 0)) throw new TypeError(`${option}: ${given} is no number of things`);
  return number;
}

/** @throws TypeError for what is no whole number above zero */
export function whole(option: string, given: string): number {
  const number = positive(option, given);
  if (!Number.isInteger(number)) throw new TypeError(`${option}: ${given} is no number of things`);
  return number;
}

/** Several of them, comma-separated. @throws what `read` throws */
export function list(option: string, given: string, read: typeof whole): number[] {
  return given.split(',').map((one) => read(option, one));
}
