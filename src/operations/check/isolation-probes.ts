import type { Finding } from '../../core/finding.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Fleet } from '../../engine/context.js';
import { type Coverage, together } from '../../engine/isolation/coverage.js';
import { type SeedTenant, probePool } from '../../engine/isolation/probe-pool.js';
import { type Seed, readSeed, runSeed } from '../seed.js';

/** A database of the fleet, and the units that are in it. */
export interface ProbeContext {
  fleet: Fleet;
  cluster: string;
  database: string;
  units: readonly MigrationUnit[];
}

/**
 * Tries to cross from one tenant to another everywhere in one database. Whatever it writes is rolled back.
 * @throws connection error (exit 4) when the database cannot be reached · configuration error (exit 3) for a seed that cannot be read
 */
export async function probeDatabase({
  fleet,
  cluster,
  database,
  units,
}: ProbeContext): Promise<{ findings: Finding[]; coverage: Coverage }> {
  const seed = seeding(await readSeed(fleet.settings.provision.seed));
  const probed = [];
  for (const { shared, schema, ledgerKey } of units)
    if (shared) probed.push(await probePool(fleet, { cluster, database, schema, ledgerKey }, seed));
  return {
    findings: probed.flatMap(({ findings }) => findings),
    coverage: together(probed.map(({ coverage }) => coverage)),
  };
}

function seeding(seed: Seed | null): SeedTenant {
  return async (session, tenant) => {
    if (seed !== null) await runSeed(session, seed, { ...NOBODY, id: 'probe', key: tenant });
  };
}

const NOBODY = {
  plan: null,
  owner: null,
  labels: {},
  limits: { connections: null, statementTimeoutMs: null, storageBytes: null },
};
