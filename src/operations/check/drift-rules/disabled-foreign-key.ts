import { ident } from '../../../pg/sql.js';
import type { StateRule } from '../drift/states.js';

export const disabledForeignKey: StateRule = {
  rule: {
    name: 'disabled-foreign-key',
    check: 'drift',
    level: 'error',
    summary: 'A foreign key is there, says that it is valid, and is not kept.',
    explanation:
      'ALTER TABLE … DISABLE TRIGGER ALL, which dumps and imports use, also switches off the triggers behind foreign keys. No catalog column that people look at shows it: the constraint stays "validated" while rows point nowhere.',
    remedy:
      'As a superuser: ENABLE TRIGGER ALL. Then drop the constraint and add it anew, NOT VALID and validated, as nothing else looks at the rows that came meanwhile.',
    bad: `create table counted (tenant_id uuid not null, id int primary key, of int references counted);
alter table counted disable trigger all;`,
    good: `create table counted (tenant_id uuid not null, id int primary key, of int references counted);`,
  },
  of: 'part',
  query: () => `
    select t.nsp, r.relname as relation, k.conname as name,
        string_agg(distinct format('alter table %s enable trigger all', quote_ident(own.relname)), ';') as extra
      from pg_trigger g join pg_constraint k on k.oid = g.tgconstraint
      join pg_class r on r.oid = k.conrelid join target t on t.nsp = r.relnamespace join pg_class own on own.oid = g.tgrelid
     where g.tgisinternal and g.tgenabled = 'D' and k.contype = 'f' and k.conparentid = 0
     group by t.nsp, r.relname, k.conname`,
  tell: ({ name, relation, extra }) => ({
    message: `foreign key ${name} of ${relation} is switched off: rows may point nowhere, and the constraint does not show it`,
    hint: 'A superuser enables its triggers; then drop the constraint and add it anew, so that the rows are looked at.',
    sql: (schema) => [`set search_path = ${ident(schema).text()}`, ...extra.split(';'), 'reset search_path'],
  }),
};
