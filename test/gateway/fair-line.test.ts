import { beforeEach, describe, expect, it } from '@jest/globals';
import { FairLine } from '../../gateway/fair-line.js';

describe('A fair line', () => {
  let line: FairLine<string>;
  beforeEach(() => {
    line = new FairLine();
  });
  const enter = (asker: string, ...items: string[]) => {
    for (const item of items) line.enter(asker, item);
  };
  const takeAll = () => {
    const taken: string[] = [];
    for (let item = line.take(); item !== undefined; item = line.take()) taken.push(item);
    return taken;
  };

  it('lets one of each asker go in turn, each in the order of their coming', () => {
    enter('a', 'a1', 'a2', 'a3');
    enter('b', 'b1', 'b2');
    enter('c', 'c1');
    expect(line.length).toBe(6);
    expect(takeAll()).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect(line.length).toBe(0);
  });

  it('gives whoever just had a turn the next one after all others, also those who came later', () => {
    enter('a', 'a1', 'a2');
    expect(line.take()).toBe('a1');
    enter('b', 'b1');
    enter('a', 'a3');
    expect(takeAll()).toEqual(['a2', 'b1', 'a3']);
  });

  it('lets what several wait for go once, by the earliest turn of any of them', () => {
    enter('a', 'a1', 'a2', 'shared');
    enter('b', 'shared', 'b2');
    expect(line.length).toBe(4);
    expect(takeAll()).toEqual(['a1', 'shared', 'a2', 'b2']);
  });

  it('puts out the last of whoever waits for most, and never of the one who is spared', () => {
    enter('spared', 's1', 's2', 's3', 's4');
    enter('a', 'a1', 'a2', 'a3');
    enter('b', 'b1', 'b2');
    expect(line.crowdOut('spared')).toBe('a3');
    enter('c', 'c1');
    expect([line.crowdOut('spared'), line.crowdOut('spared')].toSorted()).toEqual(['a2', 'b2']);
    expect(line.length).toBe(7);
    for (let left = 3; left > 0; left -= 1) expect(line.crowdOut('spared')).toMatch(/^[abc]1$/);
    expect(line.crowdOut('spared')).toBeUndefined();
    expect(takeAll()).toEqual(['s1', 's2', 's3', 's4']);
  });

  it('puts out nothing that others wait for too', () => {
    enter('a', 'a1', 'x', 'y');
    enter('b', 'x', 'y');
    expect(line.crowdOut('nobody')).toBe('a1');
    expect(line.length).toBe(2);
    expect(takeAll()).toEqual(['x', 'y']);
  });
});
