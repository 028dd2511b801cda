import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Thrown with what the person at the keyboard can do about it. */
export class PostgresUnavailable extends Error {
  override readonly name = 'PostgresUnavailable';
}

/**
 * As whom the server runs. PostgreSQL refuses to be root. Where another user can reach the files, it is that user.
 * Where a folder above them is closed to others (root's home, a fresh temporary folder), root takes another number
 * inside a user namespace: to the files it stays root, to PostgreSQL it is somebody else.
 */
export type ServerUser =
  | { readonly kind: 'self' }
  | { readonly kind: 'other'; readonly uid: number; readonly gid: number }
  | { readonly kind: 'namespace'; readonly uid: number; readonly gid: number };

/**
 * @param paths must be reachable by the server
 * @param cluster the data folder where it exists: its owner decides
 * @throws PostgresUnavailable
 */
export async function serverUserFor(paths: readonly string[], cluster: string | null): Promise<ServerUser> {
  const owner = cluster ? (await stat(cluster)).uid : null;
  const self = process.getuid?.();
  if (self !== 0) {
    if (owner !== null && owner !== self)
      throw new PostgresUnavailable(
        `${cluster} belongs to another user (${owner}). Start as that user, or set DATA_DIR.`,
      );
    return { kind: 'self' };
  }
  const user = await unprivilegedUser();
  const reachable = (await Promise.all(paths.map(isOpenToOthers))).every(Boolean);
  if (reachable && owner !== 0) return { kind: 'other', ...user, ...(owner !== null && { uid: owner }) };
  if (owner !== null && owner !== 0)
    throw new PostgresUnavailable(
      `${cluster} belongs to user ${owner}, who cannot reach it. Open the folders above it, or set DATA_DIR.`,
    );
  if (!hasUserNamespaces())
    throw new PostgresUnavailable(
      `As root, PostgreSQL needs files that other users can reach: ${paths.join(', ')}. Run as a normal user, or set DATABASE_URL.`,
    );
  return { kind: 'namespace', ...user };
}

/** The command line that runs `command` as that user; where Linux can, it is told to end when this process ends. */
export function asServerUser(
  user: ServerUser,
  command: string,
  args: readonly string[],
): [command: string, ...args: string[]] {
  const linked: [string, ...string[]] = hasParentDeathSignal()
    ? ['setpriv', '--pdeathsig', 'INT', '--', command, ...args]
    : [command, ...args];
  if (user.kind !== 'namespace') return linked;
  return ['unshare', '--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`, '--', ...linked];
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const users = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return { uid: Number(found?.[2] ?? 65_534), gid: Number(found?.[3] ?? 65_534) };
}

/** Whether everybody may pass through every folder down to `path`. */
async function isOpenToOthers(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o001) === 0) return false;
  const parent = dirname(path);
  return parent === path || isOpenToOthers(parent);
}

let namespaces: boolean | undefined;
function hasUserNamespaces(): boolean {
  namespaces ??= works('unshare', ['--user', '--map-user=65534', '--map-group=65534', '--', 'true']);
  return namespaces;
}

let deathSignal: boolean | undefined;
function hasParentDeathSignal(): boolean {
  deathSignal ??= process.platform === 'linux' && works('setpriv', ['--pdeathsig', 'INT', '--', 'true']);
  return deathSignal;
}

function works(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
