import { ident, sql } from '../../../pg/sql.js';
import { movedRelations } from '../merge/moved-relations.js';
import { tableOf } from '../../rows/side.js';
import type { Inspected, PreflightRule } from './finding.js';

interface Unusual {
  table: string;
  relation: string;
  /** The other table, where it inherits. */
  parent: string | null;
}

/** A crash empties such a table without a word to whoever follows its changes. */
export const unloggedTables: PreflightRule = async ({ source }) => {
  const found = await source.session.rows<Unusual>(sql`
    with ${relations(source)}
    select m.name as table, c.relname::text as relation, null as parent from moved m join pg_class c on c.oid = m.relid
     where c.relpersistence = 'u' order by 1, 2`);
  return found.map(({ table, relation }) => ({
    rule: 'unlogged-table',
    level: 'warning',
    where: relation,
    message: `Table ${relation} is unlogged${table === relation ? '' : ` (a partition of ${table})`}: it is moved like the others, but a crash of its server empties it, and the two homes then differ.`,
    hint: `With a migration: alter table ${ident(relation).text()} set logged;`,
  }));
};

/** A read of the parent gives the rows of its children as well, so they would be copied twice. */
export const inheritedTables: PreflightRule = async ({ source }) => {
  if (source.side.shared) return [];
  const found = await source.session.rows<Unusual & { parent: string }>(sql`
    with ${relations(source)}
    select distinct c.relname::text as relation, c.relname::text as table, p.relname::text as parent
      from moved m join pg_inherits i on m.relid in (i.inhrelid, i.inhparent)
      join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
     where p.relkind = 'r' order by 1, 3`);
  return found.map(({ relation, parent }) => ({
    rule: 'inherited-table',
    level: 'error',
    where: relation,
    message: `Table ${relation} inherits from table ${parent}: whoever reads ${parent} reads the rows of ${relation} as well, so that they would be moved twice.`,
    hint: `With a migration: alter table ${ident(relation).text()} no inherit ${ident(parent).text()}; or make ${parent} a partitioned table.`,
  }));
};

/** Migrations make it while its tables are still empty, and nothing fills it afterwards. */
export const materializedViews: PreflightRule = async ({ source, goal }) => {
  if (goal.side.shared) return [];
  const views = await source.session.rows<{ name: string }>(sql`
    select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${source.side.home.placement.schema} and c.relkind = 'm' order by 1`);
  return views.map(({ name }) => ({
    rule: 'materialized-view',
    level: 'warning',
    where: name,
    message: `Materialized view ${name} is made at the new home before any row is there, and is not filled by the move.`,
    hint: `When the tenant has arrived (hook afterFlip): refresh materialized view ${ident(goal.side.home.placement.schema, name).text()};`,
  }));
};

/** A rule writes something else than it was told, on the way in as well as on the way out. */
export const rulesInOwnHomes: PreflightRule = async ({ source }) => {
  if (source.side.shared) return [];
  const found = await source.session.rows<{ table: string; rule: string }>(sql`
    with ${relations(source)}
    select m.name as table, r.rulename::text as rule from moved m join pg_rewrite r on r.ev_class = m.relid
     where r.ev_type <> '1' order by 1, 2`);
  return found.map(({ table, rule }) => ({
    rule: 'rule-on-table',
    level: 'error',
    where: `${table}.${rule}`,
    message: `Rule ${rule} rewrites what is written to table ${table}, the copied rows of the new home included.`,
    hint: `Use a trigger in its place, with a migration: drop rule ${ident(rule).text()} on ${ident(table).text()};`,
  }));
};

/** What a home of its own would bring along, or leave behind, of somebody else's rows. */
export const rowsOfOthers: PreflightRule = async ({ source }) => {
  if (source.side.shared) return [];
  const { session, side, tables } = source;
  const { key } = side.home.tenant;
  const findings = [];
  for (const { name, tenantColumn } of tables) {
    if (tenantColumn === null) continue;
    const column = ident(tenantColumn);
    const condition = sql`${column}::text is distinct from ${key}`;
    const row = await session.row<{ rows: number }>(
      sql`select count(*)::float8 as rows from ${tableOf(side, name)} where ${condition}`,
    );
    if (row === undefined || row.rows === 0) continue;
    findings.push({
      rule: 'row-of-another-tenant',
      level: 'error' as const,
      where: name,
      message: `Table ${name} has ${row.rows} rows whose ${tenantColumn} is not the key of this tenant, so they would not move with it.`,
      hint: `Look at them: select * from ${tableOf(side, name).text()} where ${condition.text()}; if they are the tenant's: update ${tableOf(side, name).text()} set ${sql`${column} = ${key} where ${condition}`.text()};`,
    });
  }
  return findings;
};

/** There is nothing to copy of such rows but their number, and COPY knows no row without a value. */
export const tablesWithoutColumns: PreflightRule = ({ source }) => {
  const bare = source.tables.filter(({ columns }) => columns.every(({ generated }) => generated));
  return Promise.resolve(
    bare.map(({ name }) => ({
      rule: 'table-without-columns',
      level: 'error',
      where: name,
      message: `Table ${name} has no column that is stored, so its rows cannot be copied.`,
      hint: `With a migration: alter table ${ident(name).text()} add column id bigint generated always as identity primary key; or drop the table.`,
    })),
  );
};

function relations({ side, tables }: Inspected) {
  return movedRelations(
    side.home.placement.schema,
    tables.map(({ name }) => name),
  );
}
