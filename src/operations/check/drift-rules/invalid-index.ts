import { ident } from '../../../pg/sql.js';
import type { FoundState, StateRule } from '../drift/states.js';

/** A build or a rebuild that did not end leaves an index that is kept up and never used, or not even that. */
export const invalidIndex: StateRule = {
  rule: {
    name: 'invalid-index',
    check: 'drift',
    level: 'error',
    summary: 'An index is there and not used: queries are slow, and a unique one keeps no duplicate out.',
    explanation:
      'A CREATE INDEX CONCURRENTLY that is interrupted, or that meets a duplicate, leaves an index with indisvalid = false. Every write pays for it and no query uses it. A second CREATE INDEX CONCURRENTLY IF NOT EXISTS finds the name taken and says that all is well. An index of a partitioned table stays invalid until each partition has its own. One that is being built now is not reported.',
    remedy:
      'Rebuild it with REINDEX INDEX CONCURRENTLY, after removing the duplicates if it is unique; or drop it. What a rebuild left behind (its name ends with _ccnew or _ccold) is dropped.',
    bad: `create table counted (tenant_id uuid not null, id int);
create index counted_id_idx on only counted (id);
update pg_index set indisvalid = false where indexrelid = 'counted_id_idx'::regclass;`,
    good: `create table counted (tenant_id uuid not null, id int);
create index counted_id_idx on counted (id);`,
  },
  of: 'index',
  query: () => `
    select t.nsp, r.relname as relation, x.relname as name,
        case when x.relkind = 'I' then 'partitioned' when x.relname ~ '_cc(new|old)[0-9]*$' then 'left' when i.indisunique then 'unique' else '' end as extra
      from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class r on r.oid = i.indrelid join target t on t.nsp = r.relnamespace
     where not i.indisvalid and i.indisready and i.indislive and i.indrelid not in (select relation from at_work)`,
  tell: (state) => {
    if (state.extra === 'partitioned') return partitioned(state);
    if (state.extra === 'left') return leftBehind(state);
    const unique = state.extra === 'unique' ? ', and it keeps no duplicate out' : '';
    return {
      message: `index ${state.name} of ${state.relation} is invalid: no query uses it${unique}`,
      hint: `Rebuild it${state.extra === 'unique' ? ' when no duplicates are left' : ''}, or drop it with DROP INDEX CONCURRENTLY.`,
      sql: (schema) => [`reindex index concurrently ${ident(schema, state.name).text()}`],
    };
  },
};

const partitioned = ({ name, relation }: FoundState) => ({
  message: `index ${name} of the partitioned table ${relation} is invalid, as not every partition has its part`,
  hint: `Make the index on each partition that lacks it, and attach it: ALTER INDEX ${name} ATTACH PARTITION …; with the last one it becomes valid.`,
  level: 'warning' as const,
  sql: () => [],
});

const leftBehind = ({ name, relation }: FoundState) => ({
  message: `index ${name} of ${relation} was left behind by a rebuild that did not end: every write pays for it`,
  hint: 'Drop it, and rebuild the index that it was made for if that is still wanted.',
  level: 'warning' as const,
  sql: (schema: string) => [`drop index concurrently ${ident(schema, name).text()}`],
});
