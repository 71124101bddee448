import { ident } from '../../../pg/sql.js';
import type { StateRule } from '../drift/states.js';

export const unloggedTable: StateRule = {
  rule: {
    name: 'unlogged-table',
    check: 'drift',
    level: 'warning',
    summary: 'After a crash the table is empty.',
    explanation:
      'An unlogged table writes no WAL: a crash or a fail-over empties it, a standby never has its rows, and no backup from WAL does. For a cache that is right; then take it into the baseline.',
    remedy: 'SET LOGGED, which writes the table anew and holds it for that time: choose a quiet hour.',
    bad: `create unlogged table counted (tenant_id uuid not null, id int);`,
    good: `create table counted (tenant_id uuid not null, id int);`,
  },
  of: 'table',
  query: () => `
    select t.nsp, c.relname as relation, c.relname as name, '' as extra
      from pg_class c join target t on t.nsp = c.relnamespace
     where c.relpersistence = 'u' and c.relkind = 'r'`,
  tell: ({ relation }) => ({
    message: `table ${relation} is unlogged: a crash or a fail-over empties it`,
    hint: 'Make it logged, in a quiet hour: the table is written anew. A cache may stay as it is: take it into the baseline.',
    sql: (schema) => [`alter table ${ident(schema, relation).text()} set logged`],
  }),
};
