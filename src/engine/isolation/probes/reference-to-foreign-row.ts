import type { Rule } from '../../../core/rule.js';
import { ident } from '../../../pg/sql.js';
import type { Attempt } from '../attempt.js';
import type { Reference, Relation } from '../specimen/relation.js';
import { type Row, valueOf } from '../specimen/row.js';
import type { Specimen } from './specimen.js';

export const referenceToForeignRow: Rule = {
  name: 'reference-to-foreign-row',
  check: 'isolation',
  level: 'warning',
  summary: 'A row of one tenant can refer to a hidden row of another.',
  explanation:
    'Foreign keys are checked without policies. A key without the tenant column accepts the row of another tenant and refuses a value that nobody has, so it tells which rows exist. Where a deletion cascades or empties the column, the other tenant changes rows that are not its own, and the finding is an error.',
  remedy:
    'Let the foreign key name the tenant column on both sides; the table that it refers to needs a unique key with it.',
  bad: `alter table customer add unique (id);
create table memo (tenant_id uuid not null, id bigint not null, customer_id bigint references customer (id), primary key (tenant_id, id));
select tenantctl.secure_pool('app', 'tenant_id', 'app.tenant_id', 'app_user', 'enforce', '{}');`,
  good: `create table memo (tenant_id uuid not null, id bigint not null, customer_id bigint, primary key (tenant_id, id),
  foreign key (tenant_id, customer_id) references customer (tenant_id, id));
select tenantctl.secure_pool('app', 'tenant_id', 'app.tenant_id', 'app_user', 'enforce', '{}');`,
};

/** Foreign keys by which a row may come to refer to one of another tenant. */
export function looseReferences(
  table: Relation,
  tenantColumn: string,
  owned: ReadonlySet<string>,
): Reference[] {
  return table.references.filter(
    ({ parent, columns }) =>
      parent !== table.qualified && owned.has(parent) && !columns.includes(tenantColumn),
  );
}

/** The probing tenant's own row is made to refer to the other one's parent. */
export function strayReference(
  { table, name, own }: Specimen,
  reference: Reference,
  parentRow: Row,
): Attempt {
  const pointed = new Map(
    reference.columns.map((column, n) => [column, parentRow.get(reference.referenced[n] as string) ?? null]),
  );
  const values = reference.columns.map(
    (column) => `${ident(column).text()} = ${valueOf(table, column, pointed).text()}`,
  );
  return {
    command: 'UPDATE',
    how: `of ${reference.columns.join(', ')}, to a hidden row`,
    statement: `update ${name} set ${values.join(', ')} where ${own}`,
  };
}

/** Does the other tenant change rows when it deletes its own? */
export function reachesBack({ onDelete }: Reference): boolean {
  return ['c', 'n', 'd'].includes(onDelete);
}
