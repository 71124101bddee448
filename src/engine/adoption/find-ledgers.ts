import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import type { ToolLedger } from '../formats/ledgers/ledger.js';
import { TOOL_LEDGERS } from '../formats/ledgers/registry.js';

/** A table that looks like the ledger of a tool. */
export interface FoundLedger {
  ledger: ToolLedger;
  schema: string;
  table: string;
  columns: readonly string[];
  /** What keeps the administrator from reading all of it. */
  closedBy: LedgerBar | null;
  /** Does another session hold it for itself now? Whoever reads it would wait. */
  held: boolean;
}

/** A right that lacks on its schema or on itself, or policies that would hide rows. */
export type LedgerBar = 'usage' | 'select' | 'policies';

/** A table that other migration tools keep, which are not read; by the name that people know them by. */
export interface UnreadLedger {
  tool: string;
  schema: string;
  table: string;
}

/** Their tables by default. A plain name is told by a column. */
const NOT_READ: readonly { tool: string; table: string; column?: string }[] = [
  { tool: 'Liquibase', table: 'databasechangelog' },
  { tool: 'Knex', table: 'knex_migrations' },
  { tool: 'goose', table: 'goose_db_version' },
  { tool: 'Alembic', table: 'alembic_version' },
  { tool: 'Atlas', table: 'atlas_schema_revisions' },
  { tool: 'Sequelize', table: 'SequelizeMeta' },
  { tool: 'Entity Framework', table: '__EFMigrationsHistory' },
  { tool: 'TypeORM', table: 'migrations', column: 'timestamp' },
  { tool: 'MikroORM', table: 'mikro_orm_migrations' },
  { tool: 'Ecto', table: 'schema_migrations', column: 'inserted_at' },
];

/** No tool has a column of such a type, by which rows cannot be put in order. */
const NO_ORDER = raw("'json'::regtype, 'xml'::regtype");

interface Candidate {
  schema: string;
  table: string;
  columns: string[];
  closedBy: LedgerBar | null;
  held: boolean;
}

/** All tables of a database that are the ledger of a tool, of those that are read and of those that are not. */
export async function findLedgers(
  connection: Connection,
  named: readonly string[],
): Promise<{ found: FoundLedger[]; unread: UnreadLedger[] }> {
  const names = [...TOOL_LEDGERS.map(({ table }) => table), ...NOT_READ.map(({ table }) => table), ...named];
  const candidates = await connection.rows<Candidate>(sql`
    select n.nspname as schema, c.relname as table,
           case when not has_schema_privilege(n.oid, 'USAGE') then 'usage' when not has_table_privilege(c.oid, 'SELECT') then 'select'
                when row_security_active(c.oid) then 'policies' end as "closedBy",
           c.oid in (select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.pid <> pg_backend_pid()
             and l.database = (select oid from pg_database where datname = current_database())) as held,
           array_agg(a.attname::text order by a.attnum) as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.atttypid not in (${NO_ORDER})
     where c.relkind in ('r', 'p') and c.relname = any(${[...new Set(names)]}::text[]) and n.nspname not in ('tenantctl', 'tenantctl_catalog')
     group by n.oid, n.nspname, c.relname, c.oid order by n.nspname, c.relname`);
  const found = candidates.flatMap((candidate) => {
    const fitting = TOOL_LEDGERS.filter((ledger) => isLedger(ledger, candidate, named));
    return fitting.map((ledger) => ({ ledger, ...candidate }));
  });
  const read = new Set(found.map(({ schema, table }) => `${schema}\n${table}`));
  const unread = candidates.flatMap(({ schema, table, columns }) => {
    const tool = NOT_READ.find(
      (one) => one.table === table && columns.includes(one.column ?? columns[0] ?? ''),
    );
    return tool === undefined || read.has(`${schema}\n${table}`) ? [] : [{ tool: tool.tool, schema, table }];
  });
  return { found, unread };
}

/** A table that the list names may be called anything; its columns still tell whose it is. */
function isLedger(
  { table, marks, lacks }: ToolLedger,
  { table: name, columns }: Candidate,
  named: readonly string[],
): boolean {
  return (
    (table === name || named.includes(name)) &&
    marks.every((column) => columns.includes(column)) &&
    !lacks.some((column) => columns.includes(column))
  );
}
