import type { Finding } from '../../../src/core/finding.js';
import type { Tier } from '../../../src/core/tier.js';
import type { LocalServer } from '../../../src/embedded/server.js';
import { movesComplete } from '../../../src/operations/moves/verbs.js';
import { diagnose } from '../../../src/operations/doctor/doctor.js';
import { type MovingFleet, movingFleet } from '../moves/fleet.js';
import { query, withClient } from '../../support/server.js';

export interface DoctorFleet extends MovingFleet {
  /** What the doctor finds now. */
  findings(): Promise<Finding[]>;
  /** The same, mended where it can be. */
  fix(): Promise<{ findings: Finding[]; fixed: Finding[] }>;
  catalog<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** As the superuser, past every trigger and policy. */
  inside<Row extends object>(database: string, text: string, values?: unknown[]): Promise<Row[]>;
  /** Ends the grace period of the move of a tenant. */
  finishMove(id: string): Promise<void>;
  /** Takes every trace of a tenant out of the catalog: a lost or old catalog looks like that. */
  forget(id: string): Promise<void>;
  /** Leaves the home of a tenant as it is and lets the catalog call it deleted: a restored backup looks like that. */
  backFromTheDead(id: string, tier: Tier): Promise<{ database: string; schema: string; key: string }>;
}

export async function doctorFleet(server: LocalServer): Promise<DoctorFleet> {
  const made = await movingFleet(server);
  const { fleet, settings } = made;
  const catalog = <Row extends object>(text: string, values: unknown[] = []) =>
    query<Row>(settings.catalogUrl, text, values);
  const inside = <Row extends object>(database: string, text: string, values: unknown[] = []) =>
    withClient(server.superuserUrl(database), async (client) => {
      await client.query('set session_replication_role = replica');
      return (await client.query(text, values)).rows as Row[];
    });
  return {
    ...made,
    findings: async () => (await diagnose(fleet, { fix: false, dryRun: false })).findings,
    fix: () => diagnose(fleet, { fix: true, dryRun: false }),
    catalog,
    inside,
    async finishMove(id) {
      await movesComplete(fleet, id, { dryRun: false });
    },
    async forget(id) {
      for (const table of ['moves', 'offboardings', 'holds', 'hook_deliveries', 'placements'])
        await inside(fleet.catalogDatabase, `delete from tenantctl_catalog.${table} where tenant = $1`, [id]);
      await inside(fleet.catalogDatabase, 'delete from tenantctl_catalog.tenants where id = $1', [id]);
    },
    async backFromTheDead(id, tier) {
      const { database, schema, key } = await made.tenant(id, tier, 3);
      for (const status of ['offboarding', 'deleted'])
        await catalog(
          `update tenantctl_catalog.tenants set status = $2, deleted_at = case when $2 = 'deleted' then now() end where id = $1`,
          [id, status],
        );
      await catalog('update tenantctl_catalog.placements set until = now() where tenant = $1', [id]);
      return { database, schema, key };
    },
  };
}

/** `rule level` of each, in order. */
export function rulesOf(findings: readonly Finding[]): string[] {
  return findings.map(({ rule, level }) => `${rule} ${level}`);
}
