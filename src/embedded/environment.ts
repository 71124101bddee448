/** Environment variables as the caller has them; `process.env` outside tests. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What PostgreSQL's programs get to see instead: no PG* or LD_* of the caller, messages in English
 * (they are read by failure.ts) and UTC as the time zone that initdb writes down.
 */
export const SERVER_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;
