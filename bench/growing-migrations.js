import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate } from '../dist/operations/migrate.js';
import { provisionMany } from '../dist/operations/provision-many.js';
import { openFleet, tenants } from './support.js';

/** A small product: ten tables, each with a key, a reference to the one before, and an index on it. */
export const TABLES = 'customer product price invoice line payment refund note task setting'.split(' ');
export const PRODUCT = TABLES.map(
  (table, index) => `create table ${table} (
  tenant_id uuid not null, id uuid not null default gen_random_uuid(), name text not null, amount numeric(12, 2) check (amount >= 0),
  of uuid, made_at timestamptz not null default now(), primary key (tenant_id, id)${
    index === 0 ? '' : `,\n  foreign key (tenant_id, of) references ${TABLES[index - 1]}`
  }
);
create index ${table}_of_idx on ${table} (tenant_id, of);`,
).join('\n');

/** The change that every contestant makes, each under a name of its own: a column and an index on it. */
export const change = (name, table = TABLES[0]) =>
  `alter table ${table} add column bench_${name} text; create index bench_${name}_idx on ${table} (bench_${name});`;

/** The migrations of that product, which grow by one file a round. */
export function growingMigrations() {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-migrations-'));
  writeFileSync(path.join(folder, '0001_product.sql'), PRODUCT);
  let next = 2;
  return {
    folder,
    add(table = TABLES[0]) {
      writeFileSync(
        path.join(folder, `${String(next).padStart(4, '0')}_bench_${next}.sql`),
        `-- tenantctl: allow index-without-concurrently because the others make the same change\n${change(`ours_${next}`, table)}`,
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

/** One run of what is pending, in milliseconds: all of it, until its last unit is migrated, and from the beginning of its first unit to there. */
export async function timedMigration(fleet, connections) {
  let [first, last] = [0, 0];
  fleet.options.emit = ({ type }) => {
    if (type === 'unit.started') first ||= performance.now();
    if (type === 'unit.finished') last = performance.now();
  };
  const began = performance.now();
  const whole = await oneMigration(fleet, connections);
  return { whole, untilLast: last - began, fromFirstToLast: last - first };
}

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
