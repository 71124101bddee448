import { ident } from '../../../pg/sql.js';
import type { StateRule } from '../drift/states.js';

/** With fewer rows any plan will do. */
const ROWS = 1_000;

export const neverAnalyzed: StateRule = {
  rule: {
    name: 'never-analyzed',
    check: 'drift',
    level: 'info',
    summary: 'The planner guesses: nobody has ever counted the rows of this table.',
    explanation: `A table of more than ${ROWS.toLocaleString('en')} rows of which no ANALYZE is known: autovacuum is switched off or behind, or the table is a partitioned one, which autovacuum never analyzes. Counted since statistics were last reset.`,
    remedy: 'ANALYZE it; a partitioned table from time to time, by a job of yours.',
    bad: `create table counted (tenant_id uuid not null, id int) with (autovacuum_enabled = off);
insert into counted select gen_random_uuid(), n from generate_series(1, 2000) n;`,
    good: `create table counted (tenant_id uuid not null, id int) with (autovacuum_enabled = off);
insert into counted select gen_random_uuid(), n from generate_series(1, 2000) n;
analyze counted;`,
  },
  of: 'table',
  query: () => `
    select t.nsp, c.relname as relation, c.relname as name, '' as extra
      from pg_class c join target t on t.nsp = c.relnamespace
     where (c.relkind = 'r' and pg_stat_get_live_tuples(c.oid) >= ${ROWS}
            or c.relkind = 'p' and c.reltuples <= 0 and (select sum(pg_stat_get_live_tuples(i.inhrelid)) from pg_inherits i where i.inhparent = c.oid) >= ${ROWS})
       and pg_stat_get_last_analyze_time(c.oid) is null and pg_stat_get_last_autoanalyze_time(c.oid) is null`,
  tell: ({ relation }) => ({
    message: `table ${relation} has rows and was never analyzed: the planner guesses how many`,
    hint: 'Analyze it, and see to it that autovacuum reaches it.',
    sql: (schema) => [`analyze ${ident(schema, relation).text()}`],
  }),
};
