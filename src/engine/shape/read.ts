import type { Connection } from '../../pg/connection.js';
import { withLockRetry } from '../../pg/retry.js';
import { type Sql, raw, sql } from '../../pg/sql.js';
import { type Look, freshLook } from './likeness.js';
import { PRINTED_LINES, CONTENT_TABLES } from './lines-sql.js';
import { readOneOfEach } from './one-of-each.js';
import { NAMED_TARGET, targetTable, withoutOwnName } from './own-name.js';
import type { Shape, ShapeKind, ShapeLine } from './shape.js';

/** What was found of many schemas at once. Schemas that are not there appear nowhere. */
export interface Fingerprints {
  fingerprints: Map<string, string>;
  /** Schemas that another session is changing now; they were left out rather than waited for. */
  busy: string[];
}

/** Caches of the session grow with every schema that it prints from: after so many it is not used again. */
const SCHEMAS_PER_SESSION = 500;

/** Something vanished while it was printed: the next look does not find it any more. */
const VANISHED: ReadonlySet<string> = new Set(['XX000', '42P01', '42704']);
const TRIES = 3;
const LOCK_TIMEOUT_MS = 1_000;

/**
 * The fingerprints of any number of schemas: one query finds which are alike, a second one prints one
 * schema of each sort. Fingerprints of all databases of one major version can be compared.
 *
 * Printing takes the weakest lock on a table and would wait behind the strongest. Schemas in which another
 * session holds that, or waits for it, are left out; should one be taken in between, the query gives
 * up after a second and begins again.
 * @param look what is known from earlier looks at this very database; what this one finds is added
 * @throws the server's error 55P03 when that happens each time
 */
export async function readFingerprints(
  connection: Connection,
  schemas: readonly string[] | 'all',
  look: Look = freshLook(),
): Promise<Fingerprints> {
  for (let left = TRIES; ; left -= 1) {
    const found = await readOnce(connection, schemas, look);
    if ((await look.holds(connection)) || left === 1) return found;
  }
}

function readOnce(
  connection: Connection,
  schemas: readonly string[] | 'all',
  look: Look,
): Promise<Fingerprints> {
  return looking(connection, async () => {
    const wanted = schemas === 'all' ? await listSchemas(connection) : schemas;
    const busy = await busySchemas(connection, wanted);
    const free = wanted.filter((schema) => !busy.has(schema));
    const fingerprints =
      free.length <= FEW ? await readDigests(connection, free) : await printAlike(connection, free, look);
    if (wanted.length > SCHEMAS_PER_SESSION) connection.retire();
    return { fingerprints, busy: [...busy] };
  });
}

/**
 * The shape of one schema, or undefined when there is none of that name. Waits for up to a second behind a
 * session that holds one of its tables for itself, three times.
 * @throws the server's error 55P03 when that was not enough
 */
export async function readShape(connection: Connection, schema: string): Promise<Shape | undefined> {
  return looking(connection, () => printShape(connection, schema));
}

/** The shapes of some schemas: for those whose lines are needed, not for a fleet. */
export async function readShapes(
  connection: Connection,
  schemas: readonly string[],
): Promise<Map<string, Shape>> {
  return looking(connection, () => printShapes(connection, schemas));
}

/** As `readShape`, within a transaction of the caller's whose search path is `pg_catalog`. */
export async function printShape(connection: Connection, schema: string): Promise<Shape | undefined> {
  return (await printShapes(connection, [schema])).get(schema);
}

/** Every statement of one look sees the same search path and the same catalogs; nothing of it lasts. */
function looking<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  const begin = [
    'begin isolation level repeatable read, read only',
    'set local search_path = pg_catalog',
    'set local standard_conforming_strings = on',
    // Constants are printed by their types, and databases may have styles of their own.
    "set local datestyle = 'ISO, MDY'; set local intervalstyle = postgres; set local lc_monetary = 'C'",
    'set local bytea_output = hex; set local extra_float_digits = 1; set local quote_all_identifiers = off',
    `set local lock_timeout = '${LOCK_TIMEOUT_MS}ms'`,
    // Hashes of a whole fleet fit into memory; on disk they took twice the time.
    `set local work_mem = '64MB'`,
    // It cannot know how much comes out of a common table, and would sort what it should hash.
    'set local enable_sort = off',
    'set local jit = off',
  ].join('; ');
  return withLockRetry(TRIES - 1, VANISHED, () => connection.transaction(work, begin));
}

/** So few schemas are sooner printed than compared. */
const FEW = 20;

/** Finds which schemas are alike, and prints one of each sort that was not printed before. */
async function printAlike(
  connection: Connection,
  schemas: readonly string[],
  look: Look,
): Promise<Map<string, string>> {
  const likenesses = await look.read(connection, schemas);
  return readOneOfEach(likenesses, look.printed, (some) => readDigests(connection, some));
}

/** Schemas of somebody's: not the server's, not ours. */
async function listSchemas(connection: Connection): Promise<string[]> {
  const rows = await connection.rows<{ nspname: string }>(sql`
    select nspname from pg_namespace where nspname !~ '^pg_'
       and nspname not in ('information_schema', 'tenantctl', 'tenantctl_catalog') order by nspname`);
  return rows.map(({ nspname }) => nspname);
}

async function busySchemas(connection: Connection, schemas: readonly string[]): Promise<Set<string>> {
  const rows = await connection.rows<{ nspname: string }>(sql`
    select distinct n.nspname from pg_locks l
      join pg_database d on d.oid = l.database and d.datname = current_database()
      join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
     where l.mode = 'AccessExclusiveLock' and l.pid <> pg_backend_pid() and n.nspname = any(${schemas}::text[])`);
  return new Set(rows.map(({ nspname }) => nspname));
}

/** Lines without the schema's own name, in an order that does not depend on the database's collation. */
const lines = (
  schemas: readonly string[],
): Sql => sql`with ${targetTable(schemas)}, ${NAMED_TARGET}, ${raw(CONTENT_TABLES)}, printed as (${PRINTED_LINES}),
  lines as (select t.schema, p.kind, ${withoutOwnName('p.name')} as name, ${withoutOwnName("coalesce(p.definition, '')")} as definition
    from printed p join named t using (nsp))`;

const DIGEST =
  raw(`encode(sha256(convert_to(coalesce(string_agg(l.kind || E'\\t' || l.name || E'\\t' || l.definition, E'\\n'
  order by l.kind collate "C", l.name collate "C"), ''), 'UTF8')), 'hex')`);

async function readDigests(connection: Connection, schemas: readonly string[]): Promise<Map<string, string>> {
  const rows = await connection.rows<{ schema: string; digest: string }>(sql`${lines(schemas)}
    select t.schema, ${DIGEST} as digest from target t left join lines l using (schema) group by t.schema`);
  return new Map(rows.map(({ schema, digest }) => [schema, digest]));
}

interface PrintedShape {
  schema: string;
  fingerprint: string;
  lines: [ShapeKind, string, string][];
}

async function printShapes(connection: Connection, schemas: readonly string[]): Promise<Map<string, Shape>> {
  const rows = await connection.rows<PrintedShape>(sql`${lines(schemas)}
    select t.schema, ${DIGEST} as fingerprint, coalesce(jsonb_agg(jsonb_build_array(l.kind, l.name, l.definition)
        order by l.kind collate "C", l.name collate "C") filter (where l.kind is not null), '[]') as lines
      from target t left join lines l using (schema) group by t.schema`);
  return new Map(rows.map((row) => [row.schema, toShape(row)]));
}

function toShape({ fingerprint, lines: printed }: PrintedShape): Shape {
  return {
    fingerprint,
    lines: printed.map(([kind, name, definition]): ShapeLine => ({ kind, name, definition })),
  };
}
