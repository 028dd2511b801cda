import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..', '..');

/** A TypeScript file of the project, with what it imports. */
export interface Source {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** `text` without comments: for rules about what the code does. */
  readonly code: string;
  /** Project paths (`subgraphs/kernel/id.ts`) and package names (`pg`, `node:fs`). */
  readonly imports: readonly string[];
}

/** All TypeScript of these folders. */
export function sourcesIn(...folders: readonly string[]): Source[] {
  return folders
    .flatMap((folder) => filesIn(folder))
    .filter((path) => path.endsWith('.ts'))
    .map(readSource);
}

/** Every file below a folder that may be committed, as paths from the root. */
export function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

/** Every folder below a folder, itself included. */
export function foldersIn(folder: string): string[] {
  const below = readdirSync(join(root, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [folder, ...below.flatMap((entry) => foldersIn(`${folder}/${entry.name}`))];
}

/** Whether an import stays in the project. */
export function isOurs(imported: string): boolean {
  return /^(gateway|subgraphs|connectors|local|schema|test)\//.test(imported);
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(code).map((imported) => located(imported, path)) };
}

function importsOf(code: string): string[] {
  const forms = [
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].map(([, imported = '']) => imported));
}

function located(imported: string, from: string): string {
  if (!imported.startsWith('.')) return imported;
  return relative(root, resolve(root, dirname(from), imported)).replace(/\.js$/, '.ts');
}

/** Good enough for our own style: strings that hold `//` are addresses, after a colon. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}
