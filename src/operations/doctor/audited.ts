import type { Fleet } from '../../engine/context.js';
import { raw } from '../../pg/sql.js';
import type { DoctorFinding } from './rule.js';

/** The newest entry of the audit log lies in the future, so the catalog's clock was set back, or the log was written by hand. */
export async function audited(fleet: Fleet): Promise<DoctorFinding[]> {
  const entry = await fleet.catalog((connection) =>
    connection.row<{ seq: number; at: string; now: string }>(
      raw(`
      select seq::float8 as seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at,
             to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as now
        from (select seq, at from tenantctl_catalog.audit order by seq desc limit 1) newest
       where at > clock_timestamp() + interval '1 minute'`),
    ),
  );
  if (entry === undefined) return [];
  const { seq, at, now } = entry;
  return [
    {
      rule: 'audit-in-future',
      level: 'error',
      where: `audit entry ${seq}`,
      message: `it is of ${at}, and the catalog's clock says ${now}: that clock was set back, or the entry was not written by this tool`,
      hint: 'Set the clock by NTP, and prove the log: `tenantctl audit verify`.',
      facts: { seq, at, now },
    },
  ];
}
