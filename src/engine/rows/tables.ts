import { isToolTable } from '../ledger/tool-tables.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { Side } from './side.js';

export interface TableColumn {
  name: string;
  /** As this side writes it: types of the tenant's own schema bear its name only there. */
  type: string;
  /** Computed by the server, so it is compared but not copied. */
  generated: boolean;
  notNull: boolean;
  /** Is its type one of the home's own, which the other home has as well and which is another one there? */
  own: boolean;
  /** The collation by which different strings count as equal, when it has such a one. */
  collation: string | null;
}

/** The name of a type of the server's own, without length and precision; nothing for others. */
export function builtInType({ type, own }: Pick<TableColumn, 'type' | 'own'>): string {
  return own ? '' : type.replace(/\([\d,-]+\)/, '');
}

/** A table that holds rows of the tenant, as one home has it. */
export interface TenantTable {
  name: string;
  /** In order of name. */
  columns: TableColumn[];
  /** The columns by which a row is found again; empty when nothing tells the rows apart for sure. */
  key: string[];
  /** The tenant column, when there is one. */
  tenantColumn: string | null;
  /** Partitions that hold rows; empty for a plain table. */
  leaves: string[];
  /** Has it a trigger of the user's that may change a row after the gate has looked at it? */
  lateTriggers: boolean;
}

/**
 * The tables of one side that hold rows of the tenant, in order of name. A primary key tells rows apart, or else a
 * unique key over columns that cannot be NULL.
 * @param onlyTenanted leaves out tables without the tenant column, as where either home is shared
 */
export async function readTables(
  session: Connection,
  side: Side,
  tenantColumn: string,
  onlyTenanted: boolean,
): Promise<TenantTable[]> {
  const rows = await session.rows<TenantTable>(sql`
    select c.relname as name,
      (select coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
          'generated', a.attgenerated <> '', 'notNull', a.attnotnull,
          'own', a.atttypid >= 16384, 'collation', (
            select format('%s.%I', l.collnamespace::regnamespace, l.collname) from pg_collation l
             where l.oid = a.attcollation and not l.collisdeterministic)) order by a.attname), '[]')
         from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      coalesce((select array_agg(a.attname::text order by k.n)
         from (select i.indkey, i.indrelid from pg_index i
                where i.indrelid = c.oid and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null and i.indexprs is null
                  and not exists (select from unnest(i.indkey::int2[]) with ordinality as u (attnum, n)
                    join pg_attribute x on x.attrelid = c.oid and x.attnum = u.attnum where u.n <= i.indnkeyatts and not x.attnotnull)
                order by i.indisprimary desc, i.indnkeyatts, i.indexrelid limit 1) best
         cross join unnest(best.indkey::int2[]) with ordinality as k (attnum, n)
         join pg_attribute a on a.attrelid = best.indrelid and a.attnum = k.attnum
        where k.n <= (select indnkeyatts from pg_index i where i.indrelid = c.oid and i.indkey = best.indkey limit 1)), '{}') as key,
      (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attname = ${tenantColumn} and not a.attisdropped) as "tenantColumn",
      coalesce((select array_agg(t.relid::regclass::text order by t.relid::regclass::text)
         from pg_partition_tree(c.oid) t where t.isleaf and t.relid <> c.oid), '{}') as leaves,
      exists (select from pg_trigger t
        where (t.tgrelid = c.oid or t.tgrelid in (select relid from pg_partition_tree(c.oid))) and not t.tgisinternal
          and t.tgtype & 3 = 3 and t.tgtype & 20 <> 0 and t.tgname > 'tenantctl_' and t.tgname not like 'tenantctl\\_%') as "lateTriggers"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${side.home.placement.schema} and c.relkind in ('r', 'p') and not c.relispartition and not ${raw(isToolTable('c'))}
    order by c.relname`);
  return rows.filter((table) => !onlyTenanted || table.tenantColumn !== null);
}

/** The columns that are copied, quoted. */
export function storedColumns({ columns }: TenantTable): Sql {
  return join(columns.filter(({ generated }) => !generated).map(({ name }) => ident(name)));
}

/** `and tenant_id = '…'` where other tenants' rows stand in the table as well, otherwise nothing. */
export function ownRows(side: Side, { tenantColumn }: TenantTable, alias: string): Sql {
  if (!side.shared || tenantColumn === null) return sql`true`;
  return sql`${ident(alias, tenantColumn)} = ${side.home.tenant.key}`;
}

/**
 * The same for rows that are found by key. IS TRUE keeps the planner from going through all rows of the tenant, of which
 * it may think that there are few: it knows nothing yet of those that have just come.
 */
export function ownByKey(side: Side, table: TenantTable, alias: string): Sql {
  return sql`(${ownRows(side, table, alias)}) is true`;
}

/** `x.a = y.a and x.b = y.b` over the key. */
export function sameKey({ key }: TenantTable, one: string, other: string): Sql {
  return join(
    key.map((name) => sql`${ident(one, name)} = ${ident(other, name)}`),
    ' and ',
  );
}
