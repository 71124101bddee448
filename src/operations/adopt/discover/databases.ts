import type { Connection } from '../../../pg/connection.js';
import { sql } from '../../../pg/sql.js';
import { TOOL_LEDGERS } from '../../../engine/formats/ledgers/registry.js';
import { readOnly } from './read-only.js';

/** Databases that hold every migration to be copied, and those that are half made: see `engine/tiers`. */
const OURS = '^tenantctl_(template|making|new)_';

/** The databases of a server but for templates, and whether the name of each fits a pattern of LIKE. */
export async function readDatabases(
  session: Connection,
  pattern: string | null,
): Promise<{ name: string; fits: boolean }[]> {
  return session.rows(sql`
    select datname::text as name, coalesce(datname::text like ${pattern}, false) as fits from pg_database
     where not datistemplate and datname !~ ${OURS} order by datname::text collate "C"`);
}

/** The schema of a dedicated database that the application works in. */
export interface MainSchema {
  schema: string;
  /** `schema.table` of the ledger that lies in another one; null where it lies where it is looked for anyway. */
  ledger: string | null;
}

interface SchemaRow {
  name: string;
  tables: number;
  ledgers: string[];
}

/**
 * The schema with the most tables; of several, one with a ledger, then `public`. Null where there is no schema at all, or where
 * the database is that of a catalog.
 */
export async function mainSchema(session: Connection): Promise<MainSchema | null> {
  const rows = await readOnly(session, () => readSchemas(session));
  const ranked = rows
    .filter(({ name }) => !LEDGER_SCHEMAS.has(name))
    .toSorted((a, b) => b.tables - a.tables || b.ledgers.length - a.ledgers.length || publicFirst(a, b));
  const [main] = ranked;
  if (main === undefined || rows.some(({ name }) => name === 'tenantctl_catalog')) return null;
  return { schema: main.name, ledger: ledgerElsewhere(main, rows) };
}

/** Schemas that a tool keeps its ledger in and nothing else. */
const LEDGER_SCHEMAS: ReadonlySet<string> = new Set(TOOL_LEDGERS.flatMap(({ schema }) => schema ?? []));

function publicFirst(a: SchemaRow, b: SchemaRow): number {
  return Number(b.name === 'public') - Number(a.name === 'public');
}

function ledgerElsewhere(main: SchemaRow, rows: readonly SchemaRow[]): string | null {
  if (
    main.ledgers.length > 0 ||
    rows.some(({ name, ledgers }) => LEDGER_SCHEMAS.has(name) && ledgers.length > 0)
  )
    return null;
  const places = rows.flatMap(({ name, ledgers }) => ledgers.map((table) => `${name}.${table}`));
  return places.length === 1 ? (places[0] ?? null) : null;
}

/** Schemas with the number of their tables, ledgers apart. Tables of extensions are nobody's. */
function readSchemas(session: Connection): Promise<SchemaRow[]> {
  const ledgers = JSON.stringify(TOOL_LEDGERS.map(({ table: name, marks }) => ({ name, marks })));
  return session.rows<SchemaRow>(sql`
    with known as (select name, marks from jsonb_to_recordset(${ledgers}::jsonb) as l (name text, marks text[])),
    tables as (
      select c.relnamespace, c.relname, exists (select from known l where l.name = c.relname
               and l.marks <@ array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and not a.attisdropped)) as ledger
        from pg_class c
       where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace <> 'pg_catalog'::regnamespace and not exists (select from pg_depend d
         where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'))
    select n.nspname::text as name, (count(t.relname) filter (where not t.ledger))::int as tables,
           coalesce(array_agg(t.relname::text) filter (where t.ledger), '{}') as ledgers
      from pg_namespace n left join tables t on t.relnamespace = n.oid
     where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tenantctl')
     group by n.nspname order by n.nspname::text collate "C"`);
}
