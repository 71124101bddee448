import { join } from 'node:path';
import type { DataFormat } from '../../../src/core/export-manifest.js';
import type { Tenant } from '../../../src/core/tenant.js';
import type { Tier } from '../../../src/core/tier.js';
import type { LocalServer } from '../../../src/embedded/server.js';
import type { Fleet } from '../../../src/engine/context.js';
import { type Exported, exportTenant } from '../../../src/operations/export.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { type FleetOverrides, type TestFleet, newFleet } from '../../support/fleet.js';
import { newFolder } from '../../support/folder.js';
import { withClient } from '../../support/server.js';
import { AWKWARD, AWKWARD_ROWS } from './awkward.js';

export interface ExportingFleet extends TestFleet {
  /** A tenant with these rows; `$t` stands for its key. */
  tenant(id: string, tier: Tier, rows?: string): Promise<Tenant>;
  /** Runs statements of the superuser's in its home. */
  inHome(tenant: Tenant, statements: string): Promise<void>;
  export(id: string, style?: { format?: DataFormat; gzip?: boolean }, by?: Fleet): Promise<Exported>;
}

/** A fleet whose tenants have rows that are hard to write down. */
export async function exportingFleet(
  server: LocalServer,
  { migrations = directoryOf(numbered(...AWKWARD)), ...overrides }: FleetOverrides = {},
): Promise<ExportingFleet> {
  const made = await newFleet(server, { migrations, seed: null, ...overrides });
  const inHome: ExportingFleet['inHome'] = ({ database, schema, key }, statements) =>
    withClient(server.superuserUrl(database), async (client) => {
      await client.query(`set search_path = "${schema}", extensions`);
      await client.query(statements.replaceAll('$t', `'${key}'::uuid`));
    });
  return {
    ...made,
    inHome,
    async tenant(id, tier, rows = AWKWARD_ROWS) {
      const { tenant } = await provisionTenant(made.fleet, { id, tier });
      await inHome(tenant, rows);
      return tenant;
    },
    async export(id, style = {}, by = made.fleet) {
      const directory = join(newFolder(), id);
      return (await exportTenant(by, { id, directory, ...style }, { dryRun: false })) as Exported;
    },
  };
}
