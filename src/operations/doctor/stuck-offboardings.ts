import type { Offboarding } from '../../core/offboarding.js';
import { openOffboardings } from '../../engine/catalog/offboardings.js';
import type { Fleet } from '../../engine/context.js';
import { isHeld } from '../../pg/locks.js';
import type { DoctorFinding } from './rule.js';

/** Offboardings and deletions that have begun, and at which nobody is at work. */
export async function stuckOffboardings(fleet: Fleet): Promise<DoctorFinding[]> {
  return fleet.catalog(async (connection) => {
    const findings: DoctorFinding[] = [];
    for (const offboarding of await openOffboardings(connection)) {
      const stuck = stuckFinding(offboarding);
      if (stuck !== undefined && !(await isHeld(connection, 'tenant', offboarding.tenant)))
        findings.push(stuck);
    }
    return findings;
  });
}

function stuckFinding({
  tenant,
  offboarding,
  state,
  requestedAt,
  begunAt,
}: Offboarding): DoctorFinding | undefined {
  const facts = { tenant, offboarding, state };
  if (state === 'requested')
    return {
      rule: 'offboarding-stuck',
      level: 'warning',
      where: `tenant ${tenant}`,
      message: `it was to be offboarded at ${requestedAt}; its export or the closing of its home is not finished, and nobody is at work`,
      hint: `\`tenantctl offboard ${tenant}\` goes on; \`tenantctl offboard ${tenant} --cancel\` brings it back.`,
      facts,
    };
  if (state !== 'purging' && state !== 'purged') return undefined;
  return {
    rule: 'deletion-stuck',
    level: 'warning',
    where: `tenant ${tenant}`,
    message: `its deletion began at ${begunAt}, is ${state === 'purged' ? 'done but not certified' : 'not finished'}, and nobody is at work`,
    hint: `\`tenantctl retention run ${tenant} --yes\` goes on with it.`,
    facts,
  };
}
