import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkIsolation as check } from '../dist/operations/check/isolation.js';
import { provisionTenant } from '../dist/operations/provision.js';
import { routeTenant } from '../dist/operations/route.js';
import { connect, milliseconds, openFleet, withServer } from './support.js';

const TABLES = 40;
const TENANTS = 50;
const ROWS = 2_000;

/** How long the isolation of a pool with many tables takes to be tried, with rows of tenants in all of them. */
export async function checkIsolation() {
  return withServer(async (server) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-isolation-'));
    writeFileSync(path.join(folder, '0001_product.sql'), product());
    const fleet = await openFleet(server, {
      migrations: { directory: folder, format: 'postgres-migrations', onForeignSchema: 'refuse' },
    });
    try {
      for (let n = 0; n < TENANTS; n += 1) await provisionTenant(fleet, { id: `t${n}`, tier: 'pool' });
      await fill(server, fleet);
      return [await measured(fleet)];
    } finally {
      await fleet.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** Each table refers to the one before it, so the last one needs a row in all of them; every eighth begins anew. */
function product() {
  return Array.from({ length: TABLES }, (_, n) => {
    const parent =
      n % 8 === 0
        ? ''
        : `parent_id bigint not null, foreign key (tenant_id, parent_id) references t${n - 1} (tenant_id, id),`;
    return `create table t${n} (tenant_id uuid not null, id bigint not null, name text not null, amount numeric(12,2) check (amount > 0),
      at timestamptz not null default now(), ${parent} primary key (tenant_id, id), unique (tenant_id, name));`;
  }).join('\n');
}

async function fill(server, fleet) {
  const { database, schema } = await routeTenant(fleet, 't0');
  const client = await connect(server.adminUrl(database));
  await client.query(`set tenantctl.scope = 'fleet'; set search_path = "${schema}"`);
  for (let n = 0; n < TABLES; n += 1) {
    const parent = n % 8 === 0 ? ['', ''] : [', parent_id', ', g'];
    await client.query(`insert into t${n} (tenant_id, id, name${parent[0]})
      select p.key::uuid, g, 'n' || g${parent[1]} from tenantctl.placement p, generate_series(1, ${ROWS / TENANTS}) g`);
  }
  await client.end();
}

async function measured(fleet) {
  let result;
  const elapsed = await milliseconds(async () => {
    result = await check(fleet);
  });
  const { findings, coverage } = result;
  const errors = findings.filter(({ level }) => level === 'error');
  return {
    claim: `seconds for check isolation over a pool of ${TABLES} tables`,
    ratio: errors.length > 0 || coverage.probed < coverage.probes ? Infinity : elapsed / 1_000,
    atMost: 10,
    figures: { tenants: TENANTS, probes: coverage.probes, probed: coverage.probed, errors: errors.length },
  };
}
