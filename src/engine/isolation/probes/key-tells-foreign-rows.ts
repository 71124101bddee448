import type { Rule } from '../../../core/rule.js';
import { ident } from '../../../pg/sql.js';
import type { Attempt, Outcome } from '../attempt.js';
import type { UniqueKey } from '../specimen/relation.js';
import { insertion, valueOf } from '../specimen/row.js';
import type { Specimen } from './specimen.js';

export const keyTellsForeignRows: Rule = {
  name: 'key-tells-foreign-rows',
  check: 'isolation',
  level: 'warning',
  summary:
    'A unique key without the tenant column tells a tenant which values others have, and keeps it from using them.',
  explanation:
    'A tenant wrote a row of its own with the value that a hidden row of another tenant has, and was refused as a duplicate. So it can ask for every e-mail address or number whether somebody has it, and can take values away from others. A key that holds only uuids is reported as info: nobody guesses them.',
  remedy: 'Put the tenant column first into the key. Foreign keys that refer to it get the column as well.',
  bad: `alter table customer add constraint customer_email_everywhere unique (email);`,
  good: `alter table customer add constraint customer_email_once unique (tenant_id, email);`,
};

const DUPLICATE = '23505';

/** Keys by which rows of different tenants may meet. */
export function sharedKeys({ table, tenantColumn, foreignRow }: Specimen): UniqueKey[] {
  return table.uniques.filter(
    ({ columns, special }) =>
      !special &&
      columns.length > 0 &&
      !columns.includes(tenantColumn) &&
      columns.every((name) => (foreignRow.get(name) ?? null) !== null),
  );
}

/** The row of the probing tenant takes the values of the other one's: changed, or made anew. */
export function duplicates(specimen: Specimen, { columns }: UniqueKey): Attempt[] {
  const { table, name, own, ownRow, foreignRow } = specimen;
  const values = columns.map(
    (column) => `${ident(column).text()} = ${valueOf(table, column, foreignRow).text()}`,
  );
  const row = new Map(ownRow);
  for (const column of columns) row.set(column, foreignRow.get(column) ?? null);
  const how = 'with the value of a hidden row';
  return [
    { command: 'UPDATE', how, statement: `update ${name} set ${values.join(', ')} where ${own}` },
    {
      command: 'INSERT',
      how,
      prepare: `delete from ${name} where ${own}`,
      statement: insertion(table, row).text(),
    },
  ];
}

/** Was it refused for this key? A partitioned table's error names the key of the partition. */
export function tells({ table }: Specimen, key: UniqueKey, { attempt, state, constraint }: Outcome): boolean {
  if (state !== DUPLICATE) return false;
  return constraint === key.name || (table.kind === 'p' && attempt.command === 'UPDATE');
}

/** Can nobody guess the values? */
export function unguessable({ table }: Specimen, { columns }: UniqueKey): boolean {
  return columns.every((name) => table.columns.find((column) => column.name === name)?.base === 'uuid');
}
