import { createHash } from 'node:crypto';
import { majorVersion } from '../../core/major-version.js';
import type { Connection } from '../../pg/connection.js';
import { isConnectionLoss, isDatabaseError } from '../../pg/errors.js';
import { raw, sql } from '../../pg/sql.js';
import { changesTables } from './changes-sql.js';
import { likenessTables } from './likeness-sql.js';
import { type Look, readLikenesses } from './likeness.js';
import { MEMBER_TABLE } from './lines-sql.js';
import { readOneOfEach } from './one-of-each.js';
import { targetTable } from './own-name.js';

/** Changes are found by a scan of the whole database: it pays when more than one schema in so many is looked at. */
const SCAN_PAYS = 7;

/** Transactions are numbered round a circle of four thousand million; so far back there is no doubt who was first. */
const OLDEST = 1_000_000_000;

interface LastLook {
  schema: string;
  /** Its number and the transaction that made its row: a schema of that name may be another one by now. */
  oid: number;
  born: string;
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
  private readonly unkept = new Map<number, Unkept>();
  /** The schemas that stood for others in the last reading, with what `writtenBy` said of each. */
  private stood = new Map<string, string>();

  async read(connection: Connection, schemas: readonly string[]): Promise<Map<string, string>> {
    const last = await lastLooks(connection, schemas);
    const seen = last.filter(({ likeness }) => likeness !== null);
    const pays = seen.length * SCAN_PAYS > (last[0]?.all ?? 0);
    const whole = pays ? last.filter(({ likeness }) => likeness === null) : last;
    this.stood = new Map();
    const likenesses = new Map([
      ...(await readLikenesses(connection, namesOf(whole))),
      ...(pays ? await this.readChanges(connection, seen) : []),
    ]);
    for (const { schema, oid, born, horizon } of last) {
      const likeness = likenesses.get(schema);
      if (likeness !== undefined) this.unkept.set(oid, { oid, born, likeness, horizon });
    }
    return likenesses;
  }

  /**
   * The server prints functions as they are now, not as they were when the look began: what a schema stood for
   * others with must not have changed meanwhile. If it has, nothing of the look is kept.
   */
  async holds(connection: Connection): Promise<boolean> {
    const { stood } = this;
    this.stood = new Map();
    const now = await writtenBy(connection, [...stood.keys()]);
    if ([...stood].every(([schema, then]) => now.get(schema) === then)) return true;
    this.unkept.clear();
    this.changed.clear();
    return false;
  }

  /**
   * Keeps what was read for the next look; it waits until then, as reading changes nothing. Where the server does not
   * take it, the next look reads everything, and that is all.
   */
  async keep(connection: Connection): Promise<void> {
    const looks = [...this.unkept.values()];
    this.unkept.clear();
    if (looks.length === 0) return;
    try {
      await write(connection, looks);
    } catch (error) {
      if (!isDatabaseError(error) || isConnectionLoss(error)) throw error;
    }
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
    return readOneOfEach(sorts, this.changed, async (schemas) => {
      this.stood = await writtenBy(connection, schemas);
      return readLikenesses(connection, schemas);
    });
  }
}

type Unkept = Pick<LastLook, 'oid' | 'born' | 'horizon'> & { likeness: string };

async function write(connection: Connection, looks: readonly Unkept[]): Promise<void> {
  await connection.execute(sql`
    insert into tenantctl.look (schema, born, likeness, horizon, method)
    select n.oid, l.born, l.likeness, l.horizon, ${methodOf(connection.version)}
      from jsonb_to_recordset(${JSON.stringify(looks)}::jsonb) l (oid oid, born text, likeness text, horizon xid8)
      join pg_namespace n on n.oid = l.oid and n.xmin::text = l.born order by n.oid
    on conflict (schema) do update
      set born = excluded.born, likeness = excluded.likeness, horizon = excluded.horizon, method = excluded.method
    where look.horizon <= excluded.horizon`);
  await connection.execute(
    sql`delete from tenantctl.look l where not exists (select from pg_namespace n where n.oid = l.schema)`,
  );
}

const namesOf = (looks: readonly { schema: string }[]): string[] => looks.map(({ schema }) => schema);

/** The last look at each schema that is there now. */
function lastLooks(connection: Connection, schemas: readonly string[]): Promise<LastLook[]> {
  return connection.rows<LastLook>(sql`
    select n.nspname as schema, n.oid, n.xmin::text as born, l.likeness, (select count(*)::int from pg_namespace) as all, now.horizon::text
      from pg_namespace n
      cross join (select pg_snapshot_xmin(pg_current_snapshot()) as horizon) now
      left join lateral (
        select likeness from tenantctl.look
         where schema = n.oid and born = n.xmin::text and method = ${methodOf(connection.version)}
           and now.horizon::text::bigint - horizon::text::bigint between 0 and ${OLDEST}::bigint offset 0) l on true
     where n.nspname = any(${schemas}::text[])`);
}

/** The transactions that wrote the functions and types of schemas. */
async function writtenBy(connection: Connection, schemas: readonly string[]): Promise<Map<string, string>> {
  if (schemas.length === 0) return new Map();
  const rows = await connection.rows<{ schema: string; written: string }>(sql`
    with ${targetTable(schemas)}, ${raw(MEMBER_TABLE)}
    select t.schema, coalesce(string_agg(w.row, ',' order by w.row), '') as written
      from target t
      left join members m on m.nsp = t.nsp
      left join lateral (
        select concat(oid, ' ', xmin) as row from pg_proc where oid = m.id and m.catalog = 'pg_proc'::regclass
        union all select concat(oid, ' ', xmin) from pg_type where oid = m.id and m.catalog = 'pg_type'::regclass) w on true
     group by t.schema`);
  return new Map(rows.map(({ schema, written }) => [schema, written]));
}

/** Likenesses are compared only with those that the same statements made on the same major version. */
function methodOf(serverVersion: number): string {
  const statements = [likenessTables(serverVersion), changesTables(serverVersion)].map((tables) =>
    tables.text(),
  );
  const major = majorVersion(serverVersion);
  return `${major} ${createHash('sha256').update(statements.join('\n')).digest('hex').slice(0, 16)}`;
}
