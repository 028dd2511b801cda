import type { PgBoss, Queue } from 'pg-boss';

/** Makes a queue where it is missing. One that is there keeps the options that it was made with. */
export async function ensureQueue(boss: PgBoss, name: string, options: Omit<Queue, 'name'>): Promise<void> {
  if ((await boss.getQueue(name)) === null) await boss.createQueue(name, options);
}

/** Has a queue get a job at each time of `cron`, in UTC. Most starts find it written down. */
export async function ensureSchedule(boss: PgBoss, name: string, cron: string): Promise<void> {
  const known = await boss.getSchedules(name);
  if (!known.some((schedule) => schedule.cron === cron)) await boss.schedule(name, cron);
}
