import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate } from '../dist/operations/migrate.js';
import { provisionMany } from '../dist/operations/provision-many.js';
import { INVOICING, openFleet, tenants } from './support.js';

const FIRST_FREE_ID = 15;

/** The change that every contestant makes, each under a name of its own: a column and an index on it. */
export const change = (name) =>
  `alter table customer add column bench_${name} text; create index bench_${name}_idx on customer (bench_${name});`;

/** A copy of the sample product's migrations that grows by one file a round. */
export function growingMigrations() {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-migrations-'));
  cpSync(`${INVOICING}migrations`, folder, { recursive: true });
  let next = FIRST_FREE_ID;
  return {
    folder,
    add() {
      writeFileSync(
        path.join(folder, `${String(next).padStart(4, '0')}_bench_${next}.sql`),
        change(`ours_${next}`),
      );
      next += 1;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A fleet of those migrations with so many schema tenants, t1 and on. */
export async function fleetOfSchemas(server, migrations, count, overrides = {}) {
  const fleet = await openFleet(server, {
    migrations: { directory: migrations.folder, format: 'postgres-migrations', onForeignSchema: 'refuse' },
    ...overrides,
  });
  await provisionAll(fleet, tenants(count, 't', 'schema'));
  return fleet;
}

export async function provisionAll(fleet, wanted) {
  const made = await provisionMany(fleet, wanted, { dryRun: false, concurrency: 4 });
  if (made.failed.length > 0)
    throw new Error(`${made.failed.length} tenants failed: ${made.failed[0].message}`);
}

export const schemasOf = (count) => Array.from({ length: count }, (_, index) => `tenant_t${index + 1}`);

/** One run of what is pending, in milliseconds. */
export async function oneMigration(fleet, connections) {
  const began = performance.now();
  const report = await migrate(fleet, {
    select: [],
    concurrency: connections,
    allowEmpty: false,
    dryRun: false,
  });
  if (report.totals.failed > 0) throw new Error(report.failures[0].message);
  return performance.now() - began;
}
