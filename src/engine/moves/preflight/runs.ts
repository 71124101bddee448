import { shortId } from '../../../core/short-id.js';
import { sql } from '../../../pg/sql.js';
import type { PreflightRule } from './finding.js';

/** A run that still has one of the two units before it would wait for the move, or the move for it. */
export const runInFlight: PreflightRule = async ({ fleet, source, goal }) => {
  const units = [source.unit.id, goal.unit.id];
  const rows = await fleet.catalog((connection) =>
    connection.rows<{ run: string; unit: string; run_status: string; status: string }>(sql`
      select r.id as run, r.status as run_status, u.unit, u.status from tenantctl_catalog.runs r
        join tenantctl_catalog.run_units u on u.run = r.id
       where r.finished_at is null and u.unit = any (${units}::text[]) and u.status in ('pending', 'running', 'failed')
       order by r.started_at, u.unit`),
  );
  return rows.map(({ run, run_status, unit, status }) => {
    const short = shortId(run);
    return {
      rule: 'run-in-flight',
      level: 'error',
      where: unit,
      message: `Run ${short} is ${run_status} and its unit ${unit} is ${status}; a unit is not migrated while one of its tenants moves.`,
      hint: `tenantctl runs watch ${short} until it has passed, runs resume ${short} to go on with it, or runs abort ${short}`,
    };
  });
};
