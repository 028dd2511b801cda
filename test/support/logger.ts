import { type Logger, pino } from 'pino';

/** For tests in which warnings are expected and not looked at. */
export const silent: Logger = pino({ level: 'silent' });
