import { rowWork } from '../row-work.js';
import type { LintRule } from '../rule.js';

export const dataChangeUnbatched: LintRule = {
  name: 'data-change-unbatched',
  check: 'migrations',
  level: 'warning',
  summary: 'Many rows are changed in one transaction: each stays locked until the last is done.',
  explanation:
    'Whoever wants to write one of them waits, VACUUM cannot clean up behind it, and replicas fall behind. In a pool it is the rows of all tenants at once. INSERT … SELECT locks no row that others have, and is only worth knowing (info). Rows that are named by a unique key, and rows written with VALUES, are no finding.',
  remedy:
    'Put the statement alone into a file with `-- tenantctl: batched` and a condition that becomes false row by row.',
  bad: "update invoice set status = 'open' where status is null;",
  good: "-- tenantctl: batched\nupdate invoice set status = 'open' where (tenant_id, id) in (select tenant_id, id from invoice where status is null limit 1000);",
  step: (step, { script, known }) => {
    const work = script.directives.batched ? null : rowWork(step, known);
    if (work === null) return [];
    if (work.verb === 'INSERT … SELECT')
      return [
        {
          at: step.at,
          level: 'info',
          message: `As many rows as its query finds are put into ${work.table} in one transaction.`,
        },
      ];
    const which = work.bounded ? 'rows' : 'all rows';
    return [
      {
        at: step.at,
        message: `${work.verb} changes ${which} of ${work.table} in one transaction, and keeps them locked to its end.`,
      },
    ];
  },
};
