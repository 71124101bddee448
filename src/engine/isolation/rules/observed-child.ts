import type { Finding } from '../../../core/finding.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { type Child, pathToTenant, readChildren, readReferences, statementsFor } from '../child-tables.js';

export const observedChild: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'observed-child',
    check: 'isolation',
    level: 'warning',
    summary:
      'A table of an observed pool has no tenant column, and its rows belong to tenants by what they refer to: it cannot be enforced.',
    explanation:
      'A policy needs the tenant in the row itself; a look at the parent for each row would be slow, and would be made with the rights of the reader. A table without the column counts as shared. The finding names the foreign keys that lead to a table with the column, and the statements that give it one: add it, fill it in batches, prove it, and index it.',
    remedy:
      'Give it the column by a migration and by a batched one, let the application write it, and list it under `enforce` then.',
    bad: `create table observed_order (tenant_id uuid not null, id int primary key);
create table observed_line (id int primary key, order_id int not null references observed_order (id));`,
    good: `create table observed_order (tenant_id uuid not null, id int primary key);
create table observed_line (tenant_id uuid not null, id int primary key, order_id int not null references observed_order (id));`,
  },
  async find(context) {
    const { column } = context.tenancy;
    const children = await readChildren(context);
    const references = await readReferences(context);
    return children.map((child): Finding => {
      const path = pathToTenant(child, references);
      const { schema, name } = child;
      if (path === null)
        return foundIn(context, this.rule, `${schema}.${name}`, shared(child, column), {
          level: 'info',
          hint: `If its rows belong to tenants, give it ${column}; if tenants are meant to write what all of them read, name it in tenancy.shared.`,
          sql: [],
        });
      const way = [`${schema}.${name}`, ...path.map(({ toSchema, toTable }) => `${toSchema}.${toTable}`)];
      const optional = path.some(({ required }) => !required);
      return foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${schema}.${name} has no ${column}; its rows belong to tenants by ${way.join(' → ')}${optional ? ', where a reference may be NULL: such rows get no tenant by it' : ''}`,
        {
          sql: statementsFor(child, path, context.tenancy),
          hint: 'Run the UPDATE again until it changes no row; let the application write the column before the last statements, or rows that come meanwhile lack it.',
          facts: { path: way, optional },
        },
      );
    });
  },
};

function shared({ schema, name }: Child, column: string): string {
  return `${schema}.${name} has no ${column} and refers to no table that has it: it counts as shared, and in a pool that enforces the application may read it and not write it`;
}
