import type { LocalServer } from '../../../src/embedded/server.js';
import type { ProbeContext } from '../../../src/operations/check/isolation-probes.js';
import { probeDatabase } from '../../../src/operations/check/isolation-probes.js';
import { selectUnits } from '../../../src/operations/select-units.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { type FleetOverrides, type TestFleet, newFleet } from '../../support/fleet.js';
import { query } from '../../support/server.js';

export type Probed = Awaited<ReturnType<typeof probeDatabase>>;

export interface ProbedFleet extends TestFleet {
  database: string;
  role: string;
  /** Changes the pool as its administrator does; `app_user` stands for the application's role. */
  change(sql: string): Promise<void>;
  /** The same as a superuser. */
  force(sql: string): Promise<void>;
  probe(): Promise<Probed>;
}

/** A pool with two tenants. */
export async function probedFleet(
  server: LocalServer,
  overrides: FleetOverrides = {},
  keys: readonly string[] = [],
): Promise<ProbedFleet> {
  const made = await newFleet(server, overrides);
  for (const [n, id] of ['acme', 'beta'].entries()) {
    const key = keys[n];
    await provisionTenant(made.fleet, {
      id,
      tier: 'pool',
      cluster: 'main',
      ...(key === undefined ? {} : { key }),
    });
  }
  const cluster = made.settings.clusters['main'];
  const database = Object.values(cluster?.pools ?? {})[0]?.database ?? '';
  const role = made.settings.tenancy.appRole;
  const run = (url: string) => async (sql: string) => {
    await query(url, `set search_path = app, extensions; ${sql.replaceAll(/\bapp_user\b/g, role)}`);
  };
  return {
    ...made,
    database,
    role,
    change: run(server.adminUrl(database)),
    force: run(server.superuserUrl(database)),
    async probe() {
      const units = await selectUnits(made.fleet, [], true);
      const context: ProbeContext = {
        fleet: made.fleet,
        cluster: 'main',
        database,
        units: units.filter((unit) => unit.database === database),
      };
      return probeDatabase(context);
    },
  };
}

/** A fleet whose pool has these tables. */
export function fleetWith(
  server: LocalServer,
  migration: string,
  tenancy: FleetOverrides['tenancy'] = {},
  keys: readonly string[] = [],
): Promise<ProbedFleet> {
  return probedFleet(server, { migrations: directoryOf(numbered(migration)), seed: null, tenancy }, keys);
}
