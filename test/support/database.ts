import { randomBytes } from 'node:crypto';
import pg from 'pg';

const TEMPLATE_LOCK = 71_026_100;

/**
 * A database of its own, owned by a role without other rights, copied from a template that `prepare` filled (once per
 * run and name). About 100 ms.
 */
export async function freshDatabase(
  name: string,
  prepare: (url: string) => Promise<void> = async () => undefined,
): Promise<string> {
  const admin = new pg.Client({ connectionString: adminUrl('postgres') });
  await admin.connect();
  try {
    await admin.query('select pg_advisory_lock($1, hashtext($2))', [TEMPLATE_LOCK, name]);
    const template = `template_${name}`;
    const { rowCount } = await admin.query('select 1 from pg_database where datname = $1', [template]);
    if (rowCount === 0) {
      await admin.query(`create role ${name} login password 'test'`);
      await admin.query(`create database ${template} owner ${name}`);
      await prepare(roleUrl(name, template));
    }
    await admin.query('select pg_advisory_unlock($1, hashtext($2))', [TEMPLATE_LOCK, name]);
    const database = `${name}_${randomBytes(6).toString('hex')}`;
    // Page by page through the log, as is PostgreSQL's default, would take more than twice as long.
    await admin.query(`create database ${database} template ${template} owner ${name} strategy file_copy`);
    return roleUrl(name, database);
  } finally {
    await admin.end();
  }
}

function adminUrl(database: string): string {
  const url = new URL(process.env['TEST_DATABASE_URL'] ?? '');
  url.pathname = `/${database}`;
  return url.href;
}

function roleUrl(role: string, database: string): string {
  const url = new URL(adminUrl(database));
  url.username = role;
  url.password = 'test';
  return url.href;
}
