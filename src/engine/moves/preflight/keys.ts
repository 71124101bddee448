import { ident, sql } from '../../../pg/sql.js';
import type { Inspected, PreflightRule } from './finding.js';

/** Without a key nothing says which row of the copy a changed row is. */
export const tablesWithoutKey: PreflightRule = async ({ source, method }) =>
  source.tables
    .filter(({ key }) => key.length === 0)
    .map(({ name }) => ({
      rule: 'table-without-key',
      level: method === 'offline' ? 'warning' : 'error',
      where: name,
      message: `Table ${name} has no primary key and no unique key over columns that are NOT NULL, so its changes cannot be followed${method === 'offline' ? ': once it is written to at the new home there is no way back without loss' : ''}.`,
      hint: `Add a primary key with a migration: alter table ${ident(name).text()} add primary key (…);${method === 'offline' ? '' : ' or move with --method offline, which holds writes for the whole copy.'}`,
    }));

interface OpenColumn {
  table: string;
  column: string;
  type: string;
}

/**
 * Under row-level security the server does not look a value up in an index with an operator that could tell others
 * what it was compared with: each cycle would read the whole table of all tenants.
 */
export const keysNotLeakproof: PreflightRule = async ({ source, target }) => {
  const shared = [source, target].filter((one) => one?.side.shared === true) as Inspected[];
  const columns = new Map<string, OpenColumn>();
  for (const one of shared)
    for (const found of await openColumns(one)) columns.set(`${found.table}.${found.column}`, found);
  return [...columns.values()].map(({ table, column, type }) => ({
    rule: 'key-not-leakproof',
    level: 'warning',
    where: `${table}.${column}`,
    message: `Equality of type ${type} is not leakproof, so row-level security keeps the key of table ${table} from being looked up by index, and each cycle of the move reads the whole table.`,
    hint: `Give the key a type such as bigint, uuid or text with a migration: alter table ${ident(table).text()} alter column ${ident(column).text()} type …; or move with --method offline.`,
  }));
};

function openColumns({ session, side, tables }: Inspected): Promise<OpenColumn[]> {
  const parts = tables.flatMap(({ name, key }) => key.map((column) => ({ name, column })));
  return session.rows<OpenColumn>(sql`
    select distinct c.relname::text as table, a.attname::text as column, format_type(a.atttypid, a.atttypmod) as type
      from unnest(${parts.map(({ name }) => name)}::text[], ${parts.map(({ column }) => column)}::text[]) as k (name, attribute)
      join pg_class c on c.relname = k.name and c.relrowsecurity
      join pg_namespace n on n.oid = c.relnamespace and n.nspname = ${side.home.placement.schema}
      join pg_attribute a on a.attrelid = c.oid and a.attname = k.attribute
      join pg_index i on i.indrelid = c.oid and i.indisunique
      cross join lateral unnest(i.indkey::int2[], i.indclass::oid[]) as part (attnum, class)
      join pg_opclass o on o.oid = part.class and part.attnum = a.attnum
      join pg_amop e on e.amopfamily = o.opcfamily and e.amopstrategy = 3
       and e.amoplefttype = o.opcintype and e.amoprighttype = o.opcintype
      join pg_operator q on q.oid = e.amopopr join pg_proc p on p.oid = q.oprcode
     where not p.proleakproof order by 1, 2`);
}
