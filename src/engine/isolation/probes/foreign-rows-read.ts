import type { Rule } from '../../../core/rule.js';
import { ident } from '../../../pg/sql.js';
import type { Attempt } from '../attempt.js';
import { valueOf } from '../specimen/row.js';
import type { Specimen } from './specimen.js';

export const foreignRowsRead: Rule = {
  name: 'foreign-rows-read',
  check: 'isolation',
  level: 'error',
  summary: 'A session of one tenant, or of none, reads rows of another.',
  explanation:
    'Two throw-away tenants were given a row each, in a transaction that is rolled back. The application, in the context that the finding names, found the row of the other one. Whatever in the product forgets a condition shows customers the data of others.',
  remedy:
    'Enable and force row-level security, drop or narrow the policy that admits too much, and let the application act as a role that neither owns the table nor bypasses row-level security.',
  bad: `create table memo (tenant_id uuid not null default nullif(current_setting('app.tenant_id', true), '')::uuid, id bigint not null, body text, primary key (tenant_id, id));
grant select, insert, update, delete on memo to app_user;`,
  good: `create table memo (tenant_id uuid not null default nullif(current_setting('app.tenant_id', true), '')::uuid, id bigint not null, body text, primary key (tenant_id, id));
alter table memo enable row level security;
alter table memo force row level security;
create policy own on memo using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy fleet on memo for all to current_user using (current_setting('tenantctl.scope', true) = 'fleet' and session_user = current_user);
grant select, insert, update, delete on memo to app_user;`,
};

/** Rows of the probing tenant that others than the probe have made, as triggers do. */
export const ALL_OWN = 'all of its own';

/** Reads of the other tenant's row. */
export function reads({ name, foreign, other }: Specimen): Attempt[] {
  return [
    count('SELECT', 'by key', `select from ${name} where ${foreign}`),
    ...(other === null
      ? []
      : [count('SELECT', 'without a condition on the row', `select from ${name}${other} limit 1`)]),
    count('SELECT FOR UPDATE', 'by key', `select from ${name} where ${foreign} for update`, ['0A000']),
  ];
}

/** The same of the probing tenant's own row: without it nothing is proved. */
export function ownReads({ name, own, ownRow, table, tenantColumn }: Specimen): Attempt[] {
  const tenant = `${ident(tenantColumn).text()} = ${valueOf(table, tenantColumn, ownRow).text()}`;
  return [
    count('SELECT', 'own', `select from ${name} where ${own}`),
    count('SELECT FOR UPDATE', 'own', `select from ${name} where ${own} for update`),
    ...(table.tenanted ? [count('SELECT', ALL_OWN, `select from ${name} where ${tenant}`)] : []),
  ];
}

function count(
  command: Attempt['command'],
  how: string,
  query: string,
  notSo: readonly string[] = [],
): Attempt {
  return { command, how, statement: `select count(*) from (${query}) x`, counts: true, notSo };
}
