import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { offboardTenant } from '../dist/operations/offboard/offboard.js';
import { provisionTenant } from '../dist/operations/provision.js';
import { runRetention } from '../dist/operations/retention/run.js';
import { routeTenant } from '../dist/operations/route.js';
import { atWork, p99 } from './at-work.js';
import { DDL, fillTenant, makeApplication, routeTo } from './product.js';
import { checkpoint, connect, milliseconds, openFleet, withServer } from './support.js';

/** Referring tables first. */
const CHILDREN_FIRST = ['line', 'invoice', 'customer', 'note', 'journal'];
const ROWS = 200_000;
const MANY = 1_000;

/** A tenant leaves a pool of five times its size: how fast, and what its neighbours feel. */
export async function retention() {
  return withPool(async (server, fleet) => {
    for (const id of ['neighbour', 'stays', 'raw', 'also', 'ours']) {
      await provisionTenant(fleet, { id, tier: 'pool' });
      await fillTenant(fleet, id, ROWS);
    }
    return oneTenant(server, fleet);
  });
}

/** A thousand tenants are due at once. */
export async function retentionOfMany() {
  return withPool(async (_server, fleet) => [await many(fleet)]);
}

async function withPool(work) {
  return withServer(async (server) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-retention-'));
    writeFileSync(path.join(folder, '0001_product.sql'), DDL);
    const fleet = await openFleet(server, {
      migrations: { directory: folder, format: 'postgres-migrations', onForeignSchema: 'refuse' },
    });
    try {
      await makeApplication(server);
      return await work(server, fleet);
    } finally {
      await fleet.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function oneTenant(server, fleet) {
  const other = atWork(() => routeTo(server, fleet, 'neighbour'), ROWS / 10);
  const times = {};
  try {
    await offboardTenant(fleet, { id: 'ours', retainMs: 0 }, { dryRun: false });
    await checkpoint(server);
    await other.commits(500);
    await other.latencies();
    await other.commits(2_000);
    const idle = await other.latencies();
    await checkpoint(server);
    fleet.options.reach = (point) => (times[point] ??= performance.now());
    await runRetention(fleet, { ids: ['ours'] });
    fleet.options.reach = () => undefined;
    const during = await other.latencies();
    await checkpoint(server);
    await other.latencies();
    const raw = await oneDelete(server, fleet, 'raw');
    const duringRaw = await other.latencies();
    const ours = times['retention.emptied'] - times['retention.begun'];
    return [
      {
        claim: 'rows deleted a second against one big DELETE a table',
        ratio: raw / ours,
        atLeast: 0.6,
        figures: { rows: ROWS, rawMs: raw, oursMs: ours },
      },
      {
        claim: "neighbours' p99 during it ÷ idle",
        ratio: p99(during) / p99(idle),
        atMost: 1.5,
        figures: {
          idleMs: p99(idle),
          duringMs: p99(during),
          duringOneDeleteMs: p99(duringRaw),
          samples: during.length,
        },
      },
    ];
  } finally {
    await other.stop();
  }
}

async function oneDelete(server, fleet, id) {
  const { key, database, schema } = await routeTenant(fleet, id);
  const client = await connect(server.adminUrl(database));
  await client.query(`set tenantctl.scope = 'fleet'; set search_path = "${schema}"`);
  const elapsed = await milliseconds(async () => {
    for (const table of CHILDREN_FIRST) await client.query(`delete from ${table} where tenant_id = '${key}'`);
  });
  await client.end();
  return elapsed;
}

/** Small tenants of a pool, all due at once. */
async function many(fleet) {
  for (let n = 0; n < MANY; n += 1) await provisionTenant(fleet, { id: `small${n}`, tier: 'pool' });
  for (let n = 0; n < MANY; n += 1)
    await offboardTenant(fleet, { id: `small${n}`, retainMs: 0 }, { dryRun: false });
  let result;
  const elapsed = await milliseconds(async () => {
    result = await runRetention(fleet, { ids: [], max: MANY });
  });
  return {
    claim: `of ${MANY} due tenants left after one retention run`,
    ratio: MANY - result.deleted.length,
    atMost: 0,
    figures: { seconds: elapsed / 1_000, failed: result.failed.slice(0, 3) },
  };
}
