import { ident } from '../../../pg/sql.js';
import type { StateRule } from '../drift/states.js';

export const unvalidatedConstraint: StateRule = {
  rule: {
    name: 'unvalidated-constraint',
    check: 'drift',
    level: 'warning',
    summary: 'A constraint holds for new rows; nobody knows whether the old ones keep it.',
    explanation:
      'ADD CONSTRAINT … NOT VALID is the right first step on a table that is in use. The second one is missing: rows from before may break the rule, the planner cannot rely on it, and SET NOT NULL, an update of such a row or a restore fails on it some day. One that a pending migration validates is not reported.',
    remedy: 'VALIDATE CONSTRAINT: it reads the table while others read and write it.',
    bad: `create table counted (tenant_id uuid not null, id int);
alter table counted add constraint counted_id_positive check (id > 0) not valid;`,
    good: `create table counted (tenant_id uuid not null, id int);
alter table counted add constraint counted_id_positive check (id > 0) not valid;
alter table counted validate constraint counted_id_positive;`,
  },
  of: 'part',
  query: (version) => `
    select t.nsp, coalesce(r.relname, ty.typname) as relation, k.conname as name, case when k.contypid <> 0 then 'domain' else '' end as extra
      from pg_constraint k join target t on t.nsp = k.connamespace
      left join pg_class r on r.oid = k.conrelid left join pg_type ty on ty.oid = k.contypid
     where not k.convalidated and k.conparentid = 0 and k.conrelid not in (select relation from at_work)
       ${version >= 180_000 ? 'and k.conenforced' : ''}`,
  settledBy: ({ name }) =>
    new RegExp(`\\bvalidate\\s+constraint\\s+"?${name.replace(/\W/g, '\\$&')}\\b`, 'i'),
  tell: ({ name, relation, extra }) => ({
    message: `constraint ${name} of ${relation} is not validated: rows from before it may break it`,
    hint: 'Validate it; where that fails, mend the rows that it names first.',
    sql: (schema) => [
      `alter ${extra === 'domain' ? 'domain' : 'table'} ${ident(schema, relation).text()} validate constraint ${ident(name).text()}`,
    ],
  }),
};
