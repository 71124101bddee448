import { ident } from '../../../pg/sql.js';
import type { StateRule } from '../drift/states.js';

export const disabledTrigger: StateRule = {
  rule: {
    name: 'disabled-trigger',
    check: 'drift',
    level: 'warning',
    summary: 'A trigger is there and does not fire.',
    explanation:
      'Somebody switched it off, for an import perhaps, and did not switch it on again. Rows written since then lack what it does: stamps, sums, history.',
    remedy:
      'ENABLE TRIGGER, after looking at the rows that were written meanwhile; or drop it by a migration.',
    bad: `create table counted (tenant_id uuid not null, id int);
create function count_it() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger counting before insert on counted for each row execute function count_it();
alter table counted disable trigger counting;`,
    good: `create table counted (tenant_id uuid not null, id int);
create function count_it() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger counting before insert on counted for each row execute function count_it();`,
  },
  of: 'part',
  query: () => `
    select t.nsp, r.relname as relation, g.tgname as name, '' as extra
      from pg_trigger g join pg_class r on r.oid = g.tgrelid join target t on t.nsp = r.relnamespace
     where not g.tgisinternal and g.tgenabled = 'D' and g.tgname not like 'tenantctl\\_%'
       and not exists (select from pg_trigger p where p.oid = g.tgparentid and p.tgenabled = 'D')`,
  tell: ({ name, relation }) => ({
    message: `trigger ${name} of ${relation} is disabled: rows are written without what it does`,
    hint: 'Look at what was written meanwhile, and enable it; or drop it by a migration.',
    sql: (schema) => [`alter table ${ident(schema, relation).text()} enable trigger ${ident(name).text()}`],
  }),
};
