import { formatDuration } from '../../core/duration.js';
import type { Connection } from '../../pg/connection.js';
import { raw } from '../../pg/sql.js';
import type { ClusterContext, DoctorFinding } from './rule.js';

/** Days of deletion are reckoned by the catalog's clock and asked for again by that of the home. */
const TOLERATED_MS = 60_000;

/** A cluster whose clock is another one than the catalog's. */
export async function clocks({ fleet, cluster, session }: ClusterContext): Promise<DoctorFinding[]> {
  const catalog = await fleet.catalog(offsetOf);
  return clockFindings(cluster, (await offsetOf(session)) - catalog);
}

/** What a difference of so many milliseconds means. */
export function clockFindings(cluster: string, aheadMs: number): DoctorFinding[] {
  if (Math.abs(aheadMs) <= TOLERATED_MS) return [];
  const by = formatDuration(Math.abs(aheadMs));
  return [
    {
      rule: 'clocks-differ',
      level: 'error',
      where: cluster,
      message: `its clock is ${by} ${aheadMs > 0 ? 'ahead of' : 'behind'} the catalog's`,
      hint: 'Set the clocks of both servers by NTP. Until then deletions, grace periods and leases end too early or too late there.',
      facts: { aheadMs: Math.round(aheadMs) },
    },
  ];
}

/** How far a server's clock is ahead of this process's, the way there and back halved. */
async function offsetOf(connection: Connection): Promise<number> {
  const before = Date.now();
  const row = await connection.row<{ ms: number }>(
    raw('select extract(epoch from clock_timestamp())::float8 * 1000 as ms'),
  );
  return (row?.ms ?? 0) - (before + Date.now()) / 2;
}
