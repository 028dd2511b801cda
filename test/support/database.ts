import { randomBytes } from 'node:crypto';
import pg from 'pg';

const TEMPLATE_LOCK = 71_026_100;

/**
 * A database of its own, owned by a role without other rights, copied from a template that `prepare` filled (once per
 * run and name). About 30 ms.
 */
export async function freshDatabase(name: string, prepare: (url: string) => Promise<void>): Promise<string> {
  const admin = new pg.Client({ connectionString: adminUrl('postgres') });
  await admin.connect();
  try {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const template = `template_${name}`;
    const { rowCount } = await admin.query('select 1 from pg_database where datname = $1', [template]);
    if (rowCount === 0) {
      await admin.query(`create role ${name} login password 'test'`);
      await admin.query(`create database ${template} owner ${name}`);
      await prepare(roleUrl(name, template));
    }
    const database = `${name}_${randomBytes(6).toString('hex')}`;
    await admin.query(`create database ${database} template ${template} owner ${name}`);
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
