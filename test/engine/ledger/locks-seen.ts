import type pg from 'pg';
import { LOCK_MODES, type LockMode, stronger } from '../../../src/core/lock-mode.js';

/** A relation as the server has it now. */
export interface Seen {
  oid: number;
  name: string;
  kind: string;
  file: string;
  scans: number;
}

/** The relations of a schema, with the numbers of scans in this transaction. */
export async function relationsOf(session: pg.Client, schema: string): Promise<Map<string, Seen>> {
  const { rows } = await session.query<Seen>(
    `select oid::int as oid, relname as name, relkind as kind, coalesce(pg_relation_filenode(oid), 0)::text as file,
            pg_stat_get_xact_numscans(oid)::int as scans
       from pg_class where relnamespace = $1::regnamespace`,
    [schema],
  );
  return new Map(rows.map((row) => [row.name, row]));
}

/** The strongest lock that a session holds, or waits for, on each relation of a schema as it was before. */
export async function locksOf(
  observer: pg.Client,
  pid: number,
  known: Map<string, Seen>,
): Promise<Map<string, LockMode>> {
  const { rows } = await observer.query<{ relation: number; mode: string }>(
    `select relation::int as relation, mode from pg_locks where pid = $1 and locktype = 'relation'`,
    [pid],
  );
  const names = new Map([...known.values()].map(({ oid, name }) => [oid, name]));
  const strongest = new Map<string, LockMode>();
  for (const { relation, mode } of rows) {
    const name = names.get(relation) ?? '';
    strongest.set(name, stronger(strongest.get(name) ?? 'ACCESS SHARE', modeNamed(mode)));
  }
  return strongest;
}

function modeNamed(name: string): LockMode {
  const squeeze = (text: string) => text.replaceAll(' ', '').toLowerCase();
  const mode = LOCK_MODES.find((candidate) => `${squeeze(candidate)}lock` === squeeze(name));
  if (mode === undefined) throw new Error(`no lock mode is called ${name}`);
  return mode;
}

export const processOf = async (session: pg.Client): Promise<number> =>
  (await session.query('select pg_backend_pid() as pid')).rows[0].pid;
