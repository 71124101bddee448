import { openMoves } from '../../engine/catalog/overview.js';
import { standingHolds } from '../../engine/catalog/legal-holds.js';
import { openOffboardings } from '../../engine/catalog/offboardings.js';
import { unfinishedRun } from '../../engine/catalog/runs.js';
import type { Connection } from '../../pg/connection.js';
import { raw } from '../../pg/sql.js';
import { standingOf } from '../../core/move.js';
import { shortId } from '../../core/short-id.js';

/** What is not at an end yet, by the catalog, each in a sentence with its next step. */
export async function unfinishedWork(catalog: Connection): Promise<string[]> {
  const run = await unfinishedRun(catalog);
  const moves = await openMoves(catalog);
  const leaving = await openOffboardings(catalog);
  const holds = await standingHolds(catalog);
  return [
    ...(run === undefined
      ? []
      : [`run ${shortId(run.id)} is ${run.status}: \`tenantctl runs resume\` or \`runs abort\` ends it`]),
    ...moves.map(
      ({ tenant, state }) =>
        `a move of tenant ${tenant} is ${standingOf(state)}: \`tenantctl moves complete ${tenant}\` or \`moves abort ${tenant}\` ends it`,
    ),
    ...leaving.map(
      ({ tenant }) =>
        `tenant ${tenant} is being offboarded: \`tenantctl retention run\` when it is due, or \`tenantctl offboard ${tenant} --cancel\``,
    ),
    ...holds.map(
      ({ tenant }) =>
        `tenant ${tenant} is on hold: nothing would keep the hold; \`tenantctl retention release ${tenant} --reason …\` ends it`,
    ),
    ...(await shutTenants(catalog)),
  ];
}

/** What keeps a tenant out, and what would let it in again, is known to this tool alone. */
async function shutTenants(catalog: Connection): Promise<string[]> {
  const rows = await catalog.rows<{ id: string; status: string }>(
    raw(
      `select id, status from tenantctl_catalog.tenants where status in ('suspended', 'provisioning') order by id`,
    ),
  );
  return rows.map(({ id, status }) =>
    status === 'suspended'
      ? `tenant ${id} is suspended, and only this tool keeps it out or lets it in: \`tenantctl activate ${id}\` or \`tenantctl offboard ${id}\` first`
      : `tenant ${id} is still being provisioned: \`tenantctl show ${id}\` says what it waits for`,
  );
}
