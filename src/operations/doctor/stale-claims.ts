import { heldLock } from '../../pg/locks.js';
import { raw, sql } from '../../pg/sql.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

interface StaleClaim {
  unit: string;
  migration: string;
  since: string;
}

/**
 * Migrations that a ledger says are begun, while nobody holds the lock of their unit. Every lock and lease of a process goes
 * with it; this row is what a migration outside a transaction leaves, so that the next one goes on where it stopped.
 */
export async function staleClaims(context: DatabaseContext): Promise<DoctorFinding[]> {
  const claims = await context.session.rows<StaleClaim>(sql`
    select g.unit, g.name as migration, to_char(g.applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since
      from tenantctl.ledger g where g.state = 'started' and g.rolled_back_at is null
       and not exists (select from pg_locks l where ${heldLock('unit', raw('g.unit'))}) order by g.unit, g.id`);
  return claims.map(({ unit, migration, since }) => ({
    rule: 'stale-claim',
    level: 'warning',
    where: `${placeName(context)}, ledger of ${unit}`,
    message: `migration ${migration} was begun at ${since} and not ended, and nobody is at work on it: half of it may be there`,
    hint: '`tenantctl migrate` goes on where it stopped; `tenantctl runs explain` says why it did.',
    facts: { unit, migration, since },
  }));
}
