import type { Fleet } from '../../engine/context.js';
import { heldLock } from '../../pg/locks.js';
import { raw, sql } from '../../pg/sql.js';
import { isDriven } from '../runs/lock.js';
import type { DoctorFinding } from './rule.js';

/**
 * What a look finds that stays so: whatever compares two databases may see the moment between two commits of a command at
 * work. A finding about a tenant or unit at which somebody works is left out, and every other must be there at a second look.
 */
export async function settled(fleet: Fleet, look: () => Promise<DoctorFinding[]>): Promise<DoctorFinding[]> {
  const first = await idle(fleet, await look());
  if (first.length === 0) return [];
  const again = new Set(first.map(keyOf));
  const second = (await look()).filter((finding) => again.has(keyOf(finding)));
  return idle(fleet, second);
}

function keyOf({ rule, where, message }: DoctorFinding): string {
  return [rule, where, message].join('\n');
}

async function idle(fleet: Fleet, findings: readonly DoctorFinding[]): Promise<DoctorFinding[]> {
  if (findings.length === 0) return [];
  const tenants = findings.flatMap(({ facts: { tenant } }) => (typeof tenant === 'string' ? [tenant] : []));
  return fleet.catalog(async (catalog) => {
    const rows = await catalog.rows<{ tenant: string }>(sql`
      select tenant from unnest(${tenants}::text[]) t (tenant)
       where exists (select from pg_locks l where ${heldLock('tenant', raw('t.tenant'))})`);
    const busy = new Set(rows.map(({ tenant }) => tenant));
    const driven = await isDriven(catalog);
    return findings.filter(
      ({ facts: { tenant, unit } }) =>
        !busy.has(String(tenant ?? '')) && !(driven && typeof unit === 'string'),
    );
  });
}
