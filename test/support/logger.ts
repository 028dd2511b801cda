import { type Logger, pino } from 'pino';

/** For tests in which warnings are expected and not looked at; `TEST_LOG_LEVEL=warn` shows them all the same. */
export const silent: Logger = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
