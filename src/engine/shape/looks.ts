import { createHash } from 'node:crypto';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { changesTables } from './changes-sql.js';
import { likenessTables } from './likeness-sql.js';
import { type Look, readLikenesses } from './likeness.js';
import { readOneOfEach } from './one-of-each.js';
import { targetTable } from './own-name.js';

/** Changes are found by a scan of the whole database: it pays when more than one schema in so many is looked at. */
const SCAN_PAYS = 7;

/** Transactions are numbered round a circle of four thousand million; so far back there is no doubt who was first. */
const OLDEST = 1_000_000_000;

interface LastLook {
  schema: string;
  /** Null when there was none that can be compared. */
  likeness: string | null;
  /** How many schemas the database has. */
  all: number;
  /** The oldest transaction under way now. */
  horizon: string;
}

/**
 * Looks at the schemas of one managed database that remember the last look at each, and read only what has changed
 * since. They are a saving and nothing else: without them, or when they cannot be compared, everything is read.
 */
export class Looks implements Look {
  readonly printed = new Map<string, string>();
  /** Likenesses after changes, by the likeness before and what has changed. */
  private readonly changed = new Map<string, string>();
  private readonly unkept = new Map<string, { likeness: string; horizon: string }>();

  async read(connection: Connection, schemas: readonly string[]): Promise<Map<string, string>> {
    const last = await lastLooks(connection, schemas);
    const seen = last.filter(({ likeness }) => likeness !== null);
    const pays = seen.length * SCAN_PAYS > (last[0]?.all ?? 0);
    const whole = pays ? last.filter(({ likeness }) => likeness === null) : last;
    const likenesses = await readLikenesses(connection, namesOf(whole));
    if (pays)
      for (const [schema, likeness] of await this.readChanges(connection, seen))
        likenesses.set(schema, likeness);
    const horizon = last[0]?.horizon ?? '0';
    for (const [schema, likeness] of likenesses) this.unkept.set(schema, { likeness, horizon });
    return likenesses;
  }

  /** Keeps what was read for the next look; it waits until then, as reading changes nothing. */
  async keep(connection: Connection): Promise<void> {
    const looks = [...this.unkept];
    this.unkept.clear();
    if (looks.length === 0) return;
    const [names, likenesses, horizons] = [
      looks.map(([name]) => name),
      looks.map(([, { likeness }]) => likeness),
      looks.map(([, { horizon }]) => horizon),
    ];
    await connection.execute(sql`
      insert into tenantctl.look (schema, born, likeness, horizon, method)
      select n.oid, n.xmin::text, l.likeness, l.horizon::xid8, ${methodOf(connection.version)}
        from unnest(${names}::text[], ${likenesses}::text[], ${horizons}::text[]) l (name, likeness, horizon)
        join pg_namespace n on n.nspname = l.name order by n.oid
      on conflict (schema) do update
        set born = excluded.born, likeness = excluded.likeness, horizon = excluded.horizon, method = excluded.method
      where look.horizon <= excluded.horizon`);
    await connection.execute(
      sql`delete from tenantctl.look l where not exists (select from pg_namespace n where n.oid = l.schema)`,
    );
  }

  /** Schemas that were alike and have changed alike are alike: one of each sort is read. */
  private async readChanges(connection: Connection, seen: readonly LastLook[]): Promise<Map<string, string>> {
    const before = new Map(seen.map(({ schema, likeness }) => [schema, likeness]));
    const rows = await connection.rows<{ schema: string; changes: string }>(
      sql`with ${targetTable([...before.keys()])}, ${changesTables(connection.version)}
        select t.schema, concat_ws(' ', h.hash, '/', p.hash) as changes
          from target t left join hashed h using (nsp) left join present p using (nsp)`,
    );
    const sorts = new Map(rows.map(({ schema, changes }) => [schema, `${before.get(schema)} ${changes}`]));
    return readOneOfEach(sorts, this.changed, (schemas) => readLikenesses(connection, schemas));
  }
}

const namesOf = (looks: readonly { schema: string }[]): string[] => looks.map(({ schema }) => schema);

/** The last look at each schema that is there now. */
function lastLooks(connection: Connection, schemas: readonly string[]): Promise<LastLook[]> {
  return connection.rows<LastLook>(sql`
    select n.nspname as schema, l.likeness, (select count(*)::int from pg_namespace) as all, now.horizon::text
      from pg_namespace n
      cross join (select pg_snapshot_xmin(pg_current_snapshot()) as horizon) now
      left join lateral (
        select likeness from tenantctl.look
         where schema = n.oid and born = n.xmin::text and method = ${methodOf(connection.version)}
           and now.horizon::text::bigint - horizon::text::bigint between 0 and ${OLDEST}::bigint offset 0) l on true
     where n.nspname = any(${schemas}::text[])`);
}

/** Likenesses are compared only with those that the same statements made on the same major version. */
function methodOf(serverVersion: number): string {
  const statements = [likenessTables(serverVersion), changesTables(serverVersion)].map((tables) =>
    tables.text(),
  );
  const major = Math.floor(serverVersion / 10_000);
  return `${major} ${createHash('sha256').update(statements.join('\n')).digest('hex').slice(0, 16)}`;
}
