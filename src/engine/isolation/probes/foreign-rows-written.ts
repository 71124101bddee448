import type { Rule } from '../../../core/rule.js';
import { ident, join } from '../../../pg/sql.js';
import type { Attempt } from '../attempt.js';
import { type Row, insertion, valueOf } from '../specimen/row.js';
import type { Specimen } from './specimen.js';

export const foreignRowsWritten: Rule = {
  name: 'foreign-rows-written',
  check: 'isolation',
  level: 'error',
  summary: 'A session of one tenant, or of none, changes, adds or deletes rows of another.',
  explanation:
    'The statement that the finding names touched the row of the other throw-away tenant, or put a row under its key. It was rolled back at once. Policies for single commands often forget the WITH CHECK of one of them, and an UPDATE or DELETE without WHERE asks no SELECT policy.',
  remedy:
    'One policy FOR ALL with the tenant column in USING covers every command, reading and writing; a restrictive one holds where several permissive ones must stay.',
  bad: `create policy anybody_updates on invoice for update using (true) with check (true);
drop policy tenantctl_tenant on invoice;
create policy own on invoice using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  good: `drop policy tenantctl_tenant on invoice;
create policy own on invoice using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
};

/** Checks of keys and references come after those of the policies. */
const AFTER_POLICIES = ['23505', '23503', '23P01'];

/** Writes to the other tenant's row. A cursor of the owner's stands on it: a blind UPDATE asks no SELECT policy. */
export function writes(specimen: Specimen): Attempt[] {
  const { table, name, foreign, change, foreignRow } = specimen;
  return [
    { command: 'UPDATE', how: 'by key', statement: `update ${name} set ${change} where ${foreign}` },
    blind('UPDATE', `update ${name} set ${change}`),
    ...(table.tenanted ? intoOther(specimen) : []),
    { command: 'DELETE', how: 'by key', statement: `delete from ${name} where ${foreign}` },
    blind('DELETE', `delete from ${name}`),
    merge(specimen, 'updating', foreign, `update set ${change}`),
    merge(specimen, 'deleting', foreign, 'delete'),
    ...upserts(specimen, foreignRow, change),
  ];
}

/** Rows that come to stand under the other tenant's key. */
function intoOther(specimen: Specimen): Attempt[] {
  const { table, name, own, tenantColumn, foreignRow, foreignRows } = specimen;
  const tenant = ident(tenantColumn).text();
  const other = valueOf(table, tenantColumn, foreignRow).text();
  const keys = table.uniques.filter(({ columns }) => columns.includes(tenantColumn));
  const judged = {
    passed: AFTER_POLICIES,
    confirm: {
      key: foreignRow.get(tenantColumn) ?? '',
      statement: `select greatest(count(*) - ${foreignRows}, 0) from ${name} where ${tenant} = ${other}`,
    },
    ...(table.rewrites ? { constraints: keys.map(({ name: key }) => key) } : {}),
  };
  return [
    {
      command: 'UPDATE',
      how: 'of its own row, into the other tenant',
      statement: `update ${name} set ${tenant} = ${other} where ${own}`,
      ...judged,
    },
    {
      command: 'INSERT',
      how: "with the other tenant's key",
      statement: insertion(table, foreignRow).text(),
      ...judged,
    },
    {
      command: 'MERGE',
      how: "inserting with the other tenant's key",
      statement: mergeInsertion(specimen),
      ...judged,
    },
  ];
}

/** The same with the probing tenant's own row. */
export function ownWrites(specimen: Specimen): Attempt[] {
  const { table, name, own, ownChange, ownRow } = specimen;
  return [
    { command: 'UPDATE', how: 'own', statement: `update ${name} set ${ownChange} where ${own}` },
    { command: 'INSERT', how: 'own', statement: insertion(table, ownRow).text(), passed: AFTER_POLICIES },
    { command: 'DELETE', how: 'own', statement: `delete from ${name} where ${own}`, passed: ['23503'] },
    merge(specimen, 'own', own, `update set ${ownChange}`),
    ...upserts(specimen, ownRow, ownChange),
  ];
}

function blind(command: 'UPDATE' | 'DELETE', statement: string): Attempt {
  return {
    command,
    how: 'without a condition',
    statement: `${statement} where current of probe_row`,
    notSo: ['0A000', '24000', '34000', 'XX000'],
  };
}

function merge({ name }: Specimen, how: string, row: string, action: string): Attempt {
  const statement = `merge into ${name} using (select 1) probe on ${row} when matched then ${action}`;
  return { command: 'MERGE', how, statement, notSo: ['0A000', '42809'] };
}

function mergeInsertion({ table, name, foreignRow }: Specimen): string {
  const columns = table.columns.filter(({ name: column, generated }) => foreignRow.has(column) && !generated);
  const names = join(columns.map(({ name: column }) => ident(column))).text();
  const values = join(columns.map(({ name: column }) => valueOf(table, column, foreignRow))).text();
  return `merge into ${name} using (select 1) probe on false when not matched then insert (${names}) overriding system value values (${values})`;
}

/** Onto the row, by the first key that can decide; the tenant stays its own where the key does not name it. */
function upserts({ table, ownRow, own, name, tenantColumn }: Specimen, onto: Row, change: string): Attempt[] {
  const key = table.uniques.find(
    ({ special, immediate, columns }) => !special && immediate && columns.length > 0,
  );
  if (key === undefined) return [];
  // A trigger that sets the tenant would make it the probing tenant's own row.
  if (onto !== ownRow && table.rewrites && key.columns.includes(tenantColumn)) return [];
  const row = new Map(ownRow);
  for (const column of key.columns) row.set(column, onto.get(column) ?? null);
  const names = join(key.columns.map((column) => ident(column))).text();
  return [
    {
      command: 'INSERT ON CONFLICT',
      how: 'onto the row',
      statement: `${insertion(table, row).text()} on conflict (${names}) do update set ${change}`,
      ...(onto === ownRow ? {} : { prepare: `delete from ${name} where ${own}` }),
    },
  ];
}
