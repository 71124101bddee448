import { ident } from '../../../pg/sql.js';
import type { StateRule } from '../drift/states.js';

/** PostgreSQL 18 knows them. */
const SINCE = 180_000;

export const unenforcedConstraint: StateRule = {
  rule: {
    name: 'unenforced-constraint',
    check: 'drift',
    level: 'warning',
    summary: 'A constraint is written down and not kept.',
    explanation:
      'NOT ENFORCED (since PostgreSQL 18) makes a constraint a remark: no row is ever held against it. Whoever reads the schema believes that the rule holds.',
    remedy:
      'A foreign key is enforced with ALTER CONSTRAINT … ENFORCED. A check is dropped and added anew, NOT VALID first, then validated.',
    bad: `create table counted (tenant_id uuid not null, id int);
alter table counted add constraint counted_id_positive check (id > 0) not enforced;`,
    good: `create table counted (tenant_id uuid not null, id int);
alter table counted add constraint counted_id_positive check (id > 0);`,
  },
  of: 'part',
  query: (version) =>
    version < SINCE
      ? `select null::oid as nsp, null as relation, null as name, null as extra where false`
      : `select t.nsp, r.relname as relation, k.conname as name,
            case when k.contype = 'f' then 'f' else regexp_replace(pg_get_constraintdef(k.oid), ' NOT ENFORCED$', '') end as extra
          from pg_constraint k join target t on t.nsp = k.connamespace join pg_class r on r.oid = k.conrelid
         where not k.conenforced and k.conparentid = 0`,
  tell: ({ name, relation, extra }) => ({
    message: `constraint ${name} of ${relation} is not enforced: it keeps nothing out`,
    hint: 'Enforce it, or drop it: what is written down should hold.',
    sql: (schema) => {
      const table = `alter table ${ident(schema, relation).text()}`;
      const quoted = ident(name).text();
      if (extra === 'f') return [`${table} alter constraint ${quoted} enforced`];
      return [
        `${table} drop constraint ${quoted}, add constraint ${quoted} ${extra} not valid`,
        `${table} validate constraint ${quoted}`,
      ];
    },
  }),
};
