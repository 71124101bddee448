import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import copyStreams from 'pg-copy-streams';
import { exportTenant } from '../dist/operations/export.js';
import { provisionTenant } from '../dist/operations/provision.js';
import { routeTenant } from '../dist/operations/route.js';
import { DDL, TABLES, fillTenant } from './product.js';
import { connect, median, milliseconds, openFleet, withServer } from './support.js';

const ROUNDS = 5;

/** Exports against a bare COPY of the same tables to the same disk, and the memory of the process that exports. */
export async function exportTenants() {
  return withServer(async (server) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-export-'));
    writeFileSync(path.join(folder, '0001_product.sql'), DDL);
    const settings = {
      migrations: { directory: folder, format: 'postgres-migrations', onForeignSchema: 'refuse' },
      signing: { key: null },
    };
    const fleet = await openFleet(server, settings);
    try {
      for (const tier of ['pool', 'schema'])
        for (const rows of [10_000, 1_000_000]) {
          await provisionTenant(fleet, { id: `${tier}${rows}`, tier });
          await fillTenant(fleet, `${tier}${rows}`, rows);
        }
      await provisionTenant(fleet, { id: 'neighbour', tier: 'pool' });
      await fillTenant(fleet, 'neighbour', 200_000);
      const results = [];
      for (const tier of ['pool', 'schema'])
        for (const format of ['csv', 'ndjson'])
          results.push(await speed(server, fleet, folder, { id: `${tier}1000000`, tier, format }));
      results.push(await memory(server, settings, folder));
      return results;
    } finally {
      await fleet.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** Alternating, so that neither has the warmer cache or the quieter machine. */
async function speed(server, fleet, folder, { id, tier, format }) {
  const [ours, raw] = [[], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const bare = await rawCopy(server, fleet, id, path.join(folder, 'raw'));
    const directory = path.join(folder, 'export');
    const took = await milliseconds(() => exportTenant(fleet, { id, directory, format }, { dryRun: false }));
    rmSync(directory, { recursive: true });
    // The first round reads the tables from the disk.
    if (round === 0) continue;
    ours.push(took);
    raw.push(bare);
  }
  return {
    claim: `export to ${format} against a bare COPY to CSV of the same tables, ${tier}, 1,000,000 rows`,
    ratio: median(raw) / median(ours),
    ...(format === 'csv' ? { atLeast: 0.8 } : {}),
    figures: { rawMs: median(raw), oursMs: median(ours), rounds: ROUNDS },
  };
}

/** One connection, table after table, each to a file that is on the disk at the end. */
async function rawCopy(server, fleet, id, folder) {
  const { key, database, schema } = await routeTenant(fleet, id);
  const client = await connect(server.adminUrl(database));
  await client.query(`set tenantctl.scope = 'fleet'; begin isolation level repeatable read`);
  const took = await milliseconds(async () => {
    for (const table of TABLES) {
      const text = `copy (select * from "${schema}".${table} where tenant_id = '${key}') to stdout (format csv, header true)`;
      const file = createWriteStream(`${folder}.${table}`, { flush: true });
      await pipeline(client.query(copyStreams.to(text)), file);
    }
  });
  await client.end();
  for (const table of TABLES) rmSync(`${folder}.${table}`);
  return took;
}

/** Each in a process of its own, whose highest memory the system knows. */
async function memory(server, settings, folder) {
  const peak = async (id) => {
    const child = fork(new URL('export-once.js', import.meta.url), [
      JSON.stringify({
        url: server.adminUrl('DATABASE'),
        port: server.port,
        settings,
        id,
        directory: path.join(folder, id),
      }),
    ]);
    const [answer] = await once(child, 'message');
    return answer.maxRssMb;
  };
  const [small, large] = [await peak('pool10000'), await peak('pool1000000')];
  return {
    claim: 'highest memory of the process, 1,000,000 rows ÷ 10,000 rows',
    ratio: large / small,
    atMost: 1.5,
    figures: { smallMb: small, largeMb: large },
  };
}
