import { MOVED_TABLES, ZOO, fill } from './zoo.js';
import { type Writer, type WriterReport, compareTokens, startWriter } from './writer.js';
import type { Tenant } from '../../../src/core/tenant.js';
import type { Tier } from '../../../src/core/tier.js';
import type { Fleet } from '../../../src/engine/context.js';
import type { LocalServer } from '../../../src/embedded/server.js';
import { showTenant } from '../../../src/operations/show.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { routeTenant as route } from '../../../src/operations/route.js';
import { type PromoteRequest, promote } from '../../../src/operations/moves/promote.js';
import type { MoveReport } from '../../../src/core/move.js';
import { type Application, newApplication } from '../../engine/tiers/support.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { type FleetOverrides, type TestFleet, newFleet } from '../../support/fleet.js';
import { query } from '../../support/server.js';

export interface MovingFleet extends TestFleet {
  application: Application;
  /** Makes a tenant with about so many rows a table. */
  tenant(id: string, tier: Tier, rows?: number): Promise<Tenant>;
  promote(request: PromoteRequest, fleet?: Fleet): Promise<MoveReport>;
  /** An application at work for a tenant. */
  writer(id: string, customers?: number): Writer;
  /** What the application can still find: nothing lost, nothing that it never wrote. */
  settle(id: string, writer: Writer): Promise<WriterReport & { lost: string[]; extra: string[] }>;
  /** Rows of each table of a tenant, as the superuser sees them. */
  rows(tenant: Tenant): Promise<Record<string, number>>;
  show(id: string): Promise<Tenant>;
}

/** A fleet with the zoo, whose application writes while tenants move. */
export async function movingFleet(server: LocalServer, overrides: FleetOverrides = {}): Promise<MovingFleet> {
  const made = await newFleet(server, {
    migrations: directoryOf(numbered(...ZOO)),
    seed: null,
    ...overrides,
  });
  const { fleet, settings } = made;
  await provisionTenant(fleet, { id: 'neighbour', tier: 'pool', cluster: 'main' });
  const application = await newApplication(settings);
  const show = async (id: string): Promise<Tenant> => {
    return (await showTenant(fleet, id)).tenant;
  };
  return {
    ...made,
    application,
    show,
    async tenant(id, tier, rows = 200) {
      const { tenant } = await provisionTenant(fleet, { id, tier, cluster: 'main' });
      const to = await route(fleet, id);
      const settingsOf: [string, string][] = Object.entries({ ...to.settings, role: to.role });
      const context = settingsOf.map(
        ([name, value]) => `set_config('${name}', '${value.replaceAll("'", "''")}', true)`,
      );
      await query(
        application.url(tenant.database),
        `begin; select ${context.join(', ')}; ${fill(rows)} commit`,
      );
      return tenant;
    },
    promote: async (request, by = fleet) => (await promote(by, request, { dryRun: false })) as MoveReport,
    writer: (id, customers = 200) =>
      startWriter(
        () => route(fleet, id),
        (to: { database: string }) => application.url(to.database),
        { customers },
      ),
    async settle(id, writer) {
      const report = await writer.stop();
      const { database, schema, key } = await show(id);
      return {
        ...report,
        ...(await compareTokens(server.superuserUrl(database), schema, key, report.acked)),
      };
    },
    async rows({ database, schema, key }) {
      const counts: Record<string, number> = {};
      for (const table of MOVED_TABLES) {
        const [row] = await query<{ n: number }>(
          server.superuserUrl(database),
          `select count(*)::int as n from "${schema}".${table} where tenant_id = $1`,
          [key],
        );
        counts[table] = row?.n ?? 0;
      }
      return counts;
    },
  };
}
