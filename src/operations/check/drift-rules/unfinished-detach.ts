import { ident } from '../../../pg/sql.js';
import type { StateRule } from '../drift/states.js';

export const unfinishedDetach: StateRule = {
  rule: {
    name: 'unfinished-detach',
    check: 'drift',
    level: 'warning',
    summary: 'A partition is half detached: its rows are not seen through the table.',
    explanation:
      'DETACH PARTITION … CONCURRENTLY works in two steps. Interrupted between them, the partition still belongs to the table while queries leave it out, and no other partition can be detached.',
    remedy: 'DETACH PARTITION … FINALIZE, then attach it again if it should stay.',
    bad: `create table counted (tenant_id uuid not null, id int) partition by range (id);
create table counted_old partition of counted for values from (0) to (10);
update pg_inherits set inhdetachpending = true where inhrelid = 'counted_old'::regclass;`,
    good: `create table counted (tenant_id uuid not null, id int) partition by range (id);
create table counted_old partition of counted for values from (0) to (10);`,
  },
  of: 'table',
  query: () => `
    select t.nsp, p.relname as relation, c.relname as name, '' as extra
      from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_class c on c.oid = i.inhrelid join target t on t.nsp = p.relnamespace
     where i.inhdetachpending and i.inhparent not in (select relation from at_work)`,
  tell: ({ name, relation }) => ({
    message: `partition ${name} of ${relation} is half detached: its rows are not seen through ${relation}`,
    hint: 'Finish it, and attach the partition again if it should stay.',
    sql: (schema) => [
      `alter table ${ident(schema, relation).text()} detach partition ${ident(schema, name).text()} finalize`,
    ],
  }),
};
