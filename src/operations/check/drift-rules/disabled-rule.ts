import { ident } from '../../../pg/sql.js';
import type { StateRule } from '../drift/states.js';

export const disabledRule: StateRule = {
  rule: {
    name: 'disabled-rule',
    check: 'drift',
    level: 'warning',
    summary: 'A rewrite rule is there and does nothing.',
    explanation:
      'ALTER TABLE … DISABLE RULE was run by hand and not taken back: writes that the rule should turn aside go through.',
    remedy: 'ENABLE RULE, or drop it by a migration.',
    bad: `create table counted (tenant_id uuid not null, id int);
create rule kept as on delete to counted do instead nothing;
alter table counted disable rule kept;`,
    good: `create table counted (tenant_id uuid not null, id int);
create rule kept as on delete to counted do instead nothing;`,
  },
  of: 'part',
  query: () => `
    select t.nsp, r.relname as relation, w.rulename as name, '' as extra
      from pg_rewrite w join pg_class r on r.oid = w.ev_class join target t on t.nsp = r.relnamespace
     where w.ev_enabled = 'D' and w.rulename <> '_RETURN'`,
  tell: ({ name, relation }) => ({
    message: `rule ${name} of ${relation} is disabled: what it should turn aside goes through`,
    hint: 'Enable it, or drop it by a migration.',
    sql: (schema) => [`alter table ${ident(schema, relation).text()} enable rule ${ident(name).text()}`],
  }),
};
