import { ident } from '../../../pg/sql.js';
import type { StateRule } from '../drift/states.js';

export const indexNotReady: StateRule = {
  rule: {
    name: 'index-not-ready',
    check: 'drift',
    level: 'warning',
    summary: 'The first step of a build, or the last of a removal, is all there is of an index.',
    explanation:
      'CREATE INDEX CONCURRENTLY first makes an index that takes in no rows (indisready = false), and DROP INDEX CONCURRENTLY first marks one as dead (indislive = false). Interrupted there, a name is taken and nothing stands behind it. One that is being built or dropped now is not reported.',
    remedy:
      'Drop it with DROP INDEX CONCURRENTLY, which goes on where it was interrupted, and make it again if it is wanted.',
    bad: `create table counted (tenant_id uuid not null, id int);
create index counted_id_idx on counted (id);
update pg_index set indisvalid = false, indisready = false where indexrelid = 'counted_id_idx'::regclass;`,
    good: `create table counted (tenant_id uuid not null, id int);
create index counted_id_idx on counted (id);`,
  },
  of: 'index',
  query: () => `
    select t.nsp, r.relname as relation, x.relname as name,
        case when i.indislive then 'building' else '' end as extra
      from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class r on r.oid = i.indrelid join target t on t.nsp = r.relnamespace
     where (not i.indisready or not i.indislive) and i.indrelid not in (select relation from at_work)`,
  tell: ({ name, relation, extra }) => ({
    message:
      extra === ''
        ? `index ${name} of ${relation} was being dropped, and the drop did not end`
        : `index ${name} of ${relation} takes in no rows: its build ended before it began`,
    hint: 'Drop it, then make it again if your migrations want it.',
    level: 'warning',
    sql: (schema) => [`drop index concurrently ${ident(schema, name).text()}`],
  }),
};
