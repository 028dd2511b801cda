import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from './sources.js';

const service = z.object({
  image: z.string().optional(),
  build: z.object({ context: z.string(), target: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).default({}),
  volumes: z.array(z.string()).default([]),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
export type ComposeService = z.output<typeof service>;

const file = z.object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.unknown()) });

/** docker-compose.yml, with every `${NAME:-default}` at its default. */
export function readCompose(): z.output<typeof file> {
  const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  const plain = text.replace(/\$\{[A-Z_0-9]+:-([^}]*)\}/g, '$1');
  return file.parse(parse(plain, { merge: true }));
}

export function readDockerfile(): string {
  return readFileSync(join(root, 'Dockerfile'), 'utf8');
}

/** `COPY --from=build /app/<from> <to>` of a stage and of those that it builds on. */
function copiesOf(stage: string, dockerfile: string): { from: string; to: string }[] {
  const [, base = '', body = ''] =
    new RegExp(`^FROM (\\S+) AS ${stage}\\n([\\s\\S]*?)(?=^FROM |$(?![\\s\\S]))`, 'm').exec(dockerfile) ?? [];
  const own = [...body.matchAll(/^COPY --from=build \/app\/(\S+) \.\/(\S+)$/gm)];
  const inherited = base.includes(':') || base === '' ? [] : copiesOf(base, dockerfile);
  return [...inherited, ...own.map(([, from = '', to = '']) => ({ from, to }))];
}

/** Lays out a folder as the Dockerfile lays out `/app` in a stage, from this build: what is not copied is not there. */
export function layOutImage(stage: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const { from, to } of copiesOf(stage, readDockerfile())) {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    if (from.includes('.')) copyFileSync(join(root, from), join(folder, to));
    else cpSync(join(root, from), join(folder, to), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}
