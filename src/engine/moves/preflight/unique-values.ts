import { copyRows } from '../../../pg/copy.js';
import { type Sql, ident, join, raw, sql } from '../../../pg/sql.js';
import { movedRelations } from '../merge/moved-relations.js';
import { tableOf } from '../../rows/side.js';
import { type TenantTable, ownRows } from '../../rows/tables.js';
import type { Inspected, MoveFinding, PreflightRule } from './finding.js';

/** A unique index that tenants share. */
export interface GlobalUnique {
  name: string;
  table: string;
  /** Over columns of the table, which are not qualified. */
  expressions: string[];
  predicate: string | null;
  nullsEqual: boolean;
  /** Are all its values made to be unique anywhere? */
  uuids: boolean;
}

/** What the pool keeps unique among all its tenants is unique only within the new home afterwards. */
export const weakenedUniques: PreflightRule = async ({ source }) => {
  if (!source.side.shared) return [];
  const uniques = await readGlobalUniques(source);
  return uniques
    .filter(({ uuids }) => !uuids)
    .map(({ name, table, expressions }) => ({
      rule: 'unique-key-weakened',
      level: 'warning',
      where: `${table}.${name}`,
      message: `Unique index ${name} of table ${table} spans all tenants of the pool. Once this tenant lives elsewhere, a value of ${expressions.join(', ')} may be used in both homes, and the way back is then barred.`,
      hint: `Where it is enough that a value is unique for its tenant, make the index so, with a migration: create unique index on ${ident(table).text()} (${[tenantColumnOf(source, table), ...expressions].join(', ')});`,
    }));
};

/** A value that another tenant of the new pool has already cannot come in a second time. */
export const takenValues: PreflightRule = async ({ source, target }) => {
  if (target === null || !target.side.shared) return [];
  const findings: MoveFinding[] = [];
  for (const unique of await readGlobalUniques(target)) {
    const table = source.tables.find(({ name }) => name === unique.table);
    if (table === undefined) continue;
    const taken = await firstTaken(source, target, table, unique);
    if (taken !== undefined) findings.push(valueTaken(source, target, unique, taken));
  }
  return findings;
};

function valueTaken(
  source: Inspected,
  target: Inspected,
  { name, table, expressions }: GlobalUnique,
  value: string,
): MoveFinding {
  const tenant = tenantColumnOf(source, table);
  return {
    rule: 'unique-value-taken',
    level: 'error',
    where: `${table}.${name}`,
    message: `Value ${value} of unique index ${name} of table ${table} belongs to another tenant of the new pool already.`,
    hint: `Change the value here, or let the index hold for one tenant, with a migration: drop index ${ident(name).text()}; create unique index ${ident(name).text()} on ${ident(table).text()} (${[tenant, ...expressions].join(', ')}); to see who has it: select * from ${tableOf(target.side, table).text()} where (${expressions.join(', ')})::text = …`,
  };
}

function tenantColumnOf({ tables }: Inspected, table: string): string {
  return ident(tables.find(({ name }) => name === table)?.tenantColumn ?? '').text();
}

/** Sends the tenant's values to the other home, which looks for them in rows of other tenants. */
async function firstTaken(
  source: Inspected,
  target: Inspected,
  table: TenantTable,
  unique: GlobalUnique,
): Promise<string | undefined> {
  const values = (relation: Sql, alias: string, mine: Sql): Sql => {
    const list = unique.expressions.map(
      (expression, index) => sql`${raw(`(${expression})`)} as ${ident(`v${index}`)}`,
    );
    const condition = unique.predicate === null ? mine : sql`${mine} and (${raw(unique.predicate)})`;
    return sql`select ${join(list)} from ${relation} ${ident(alias)} where ${condition}`;
  };
  const brought = ident('pg_temp', 'tenantctl_brought');
  const there = tableOf(target.side, table.name);
  await target.session.execute(
    sql`create temp table ${ident('tenantctl_brought')} as ${raw(values(there, 'x', sql`false`).text())}`,
  );
  try {
    const query = values(tableOf(source.side, table.name), 'x', ownRows(source.side, table, 'x'));
    await copyRows(source.session, query, target.session, brought);
    const others = sql`not (${ownRows(target.side, table, 'x')})`;
    const same = unique.expressions.map((_, index) => {
      const [one, other] = [ident('o', `v${index}`), ident('b', `v${index}`)];
      return unique.nullsEqual ? sql`${one} is not distinct from ${other}` : sql`${one} = ${other}`;
    });
    const row = await target.session.row<{ value: string }>(sql`
      select row(b.*)::text as value from (${values(there, 'x', others)}) o join ${brought} b on ${join(same, ' and ')} limit 1`);
    return row?.value;
  } finally {
    await target.session.execute(sql`drop table ${brought}`);
  }
}

/** The unique indexes of a pool's moved tables that do not hold the tenant column. */
export function readGlobalUniques({
  session,
  side,
  tables,
}: Pick<Inspected, 'session' | 'side' | 'tables'>): Promise<GlobalUnique[]> {
  const columns = tables.flatMap(({ tenantColumn }) => tenantColumn ?? []);
  return session.rows<GlobalUnique>(sql`
    with ${movedRelations(
      side.home.placement.schema,
      tables.map(({ name }) => name),
    )}
    select c.relname::text as name, m.name as table, pg_get_expr(i.indpred, i.indrelid) as predicate,
      i.indnullsnotdistinct as "nullsEqual",
      (select array_agg(pg_get_indexdef(i.indexrelid, n, true) order by n) from generate_series(1, i.indnkeyatts) n) as expressions,
      not exists (select from generate_series(1, i.indnkeyatts) n
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[n - 1]
       where a.atttypid is distinct from 'uuid'::regtype) as uuids
      from moved m join pg_index i on i.indrelid = m.relid join pg_class c on c.oid = i.indexrelid
     where i.indisunique and i.indisvalid and not c.relispartition and not exists (
       select from generate_series(1, i.indnkeyatts) n join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[n - 1]
        where a.attname = any (${columns}::text[]))
     order by m.name, c.relname`);
}
