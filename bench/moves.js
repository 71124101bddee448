import { pipeline } from 'node:stream/promises';
import copyStreams from 'pg-copy-streams';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promote } from '../dist/operations/moves/promote.js';
import { provisionTenant } from '../dist/operations/provision.js';
import { routeTenant } from '../dist/operations/route.js';
import { atWork, p99 } from './at-work.js';
import { DDL, TABLES, fillTenant, makeApplication, routeTo } from './product.js';
import { checkpoint, connect, milliseconds, openFleet, withServer } from './support.js';

/** One tenant moves while it writes and while its neighbours do: pauses, speed, what others feel, and what is lost. */
export async function moves() {
  return withServer(async (server) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-moves-'));
    writeFileSync(path.join(folder, '0001_product.sql'), DDL);
    const fleet = await openFleet(server, {
      migrations: { directory: folder, format: 'postgres-migrations', onForeignSchema: 'refuse' },
    });
    try {
      await makeApplication(server);
      await provisionTenant(fleet, { id: 'neighbour', tier: 'pool' });
      await fillTenant(fleet, 'neighbour', 20_000);
      const out = await oneMove(server, fleet, {
        id: 'small',
        from: 'pool',
        to: 'database',
        rows: 100_000,
        copied: 0.85,
      });
      const into = await oneMove(server, fleet, {
        id: 'into',
        from: 'schema',
        to: 'pool',
        rows: 100_000,
        copied: 0.6,
      });
      const large = await oneMove(server, fleet, {
        id: 'large',
        from: 'pool',
        to: 'database',
        rows: 1_000_000,
        copied: 0.85,
      });
      const largeInto = await oneMove(server, fleet, {
        id: 'large_into',
        from: 'schema',
        to: 'pool',
        rows: 1_000_000,
        copied: 0.6,
      });
      return [...out, ...into, ...large, ...largeInto, ...(await guardCost(server, fleet))];
    } finally {
      await fleet.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function oneMove(server, fleet, { id, from, to, rows, copied }) {
  await provisionTenant(fleet, { id, tier: from });
  await fillTenant(fleet, id, rows);
  const times = {};
  fleet.options.reach = (point) => (times[point] ??= performance.now());
  const own = atWork(() => routeTo(server, fleet, id), rows / 10);
  const other = atWork(() => routeTo(server, fleet, 'neighbour'), 2_000);
  let before, during, report, raw, acked;
  try {
    await Promise.all([own.commits(100), other.commits(100)]);
    raw = await rawPipe(server, fleet, id);
    // What the pipe has written goes to disk first, or the neighbour would pay for it now.
    await checkpoint(server);
    await other.latencies();
    await other.commits(2_000);
    before = await other.latencies();
    report = await promote(fleet, { id, to, method: 'online' }, { dryRun: false });
    during = await other.latencies();
    await own.commits(50);
  } finally {
    fleet.options.reach = () => undefined;
    [acked] = await Promise.all([own.stop(), other.stop()]);
  }
  const lost = await lostTokens(server, await routeTenant(fleet, id), acked);
  const ours = times['move.verified'] - times['move.prepared'];
  const what = `${from} → ${to}, ${rows.toLocaleString('en')} rows`;
  return [
    {
      claim: `write pause, ms, ${what}`,
      ratio: report.writePauseMs,
      atMost: 250,
      figures: { fenceWaitMs: report.fenceWaitMs },
    },
    {
      claim: `copy and verification against a raw COPY pipe, ${what}`,
      ratio: raw / ours,
      atLeast: copied,
      figures: { rawMs: raw, oursMs: ours, copyMs: report.copyMs },
    },
    {
      claim: `neighbours' p99 during the move ÷ before, ${what}`,
      ratio: p99(during) / p99(before),
      atMost: 2,
      figures: { beforeMs: p99(before), duringMs: p99(during), samples: during.length },
    },
    {
      claim: `acknowledged transactions that were lost, or found and never acknowledged, ${what}`,
      ratio: lost,
      atMost: 0,
      figures: { acknowledged: acked.size },
    },
  ];
}

/** One connection to one connection, table after table, into tables as the migrations make them. */
async function rawPipe(server, fleet, id) {
  const { key, database, schema } = await routeTenant(fleet, id);
  const admin = await connect(server.adminUrl('postgres'));
  await admin.query(`create database raw_${id}`);
  await admin.end();
  const [source, target] = [
    await connect(server.adminUrl(database)),
    await connect(server.adminUrl(`raw_${id}`)),
  ];
  await target.query(`create schema app; set search_path = app; ${DDL}`);
  await source.query(`set tenantctl.scope = 'fleet'; begin isolation level repeatable read`);
  const elapsed = await milliseconds(async () => {
    for (const table of TABLES) {
      await pipeline(
        source.query(
          copyStreams.to(`copy (select * from "${schema}".${table} where tenant_id = '${key}') to stdout`),
        ),
        target.query(copyStreams.from(`copy ${table} from stdin`)),
      );
    }
  });
  await Promise.all([source.end(), target.end()]);
  return elapsed;
}

/** What the gate and the marks cost a writer, in microseconds a row: the same update without and with them. */
async function guardCost(server, fleet) {
  const rows = 20_000;
  await provisionTenant(fleet, { id: 'cost', tier: 'schema' });
  await fillTenant(fleet, 'cost', rows * 10);
  const client = await connect(server.adminUrl('app_shared'));
  const update = () =>
    milliseconds(() => client.query(`update tenant_cost.customer set amount = amount + 1`));
  await update();
  await client.query('vacuum tenant_cost.customer');
  const bare = await update();
  let guarded = 0;
  fleet.options.reach = (point) => {
    if (point === 'move.prepared') throw new Error('far enough');
  };
  await promote(fleet, { id: 'cost', to: 'database', method: 'online' }, { dryRun: false }).catch(
    () => undefined,
  );
  fleet.options.reach = () => undefined;
  guarded = await update();
  await client.end();
  return [
    {
      claim: 'gate and marks, microseconds a row',
      ratio: ((guarded - bare) * 1_000) / rows,
      figures: { bareMs: bare, guardedMs: guarded, rows },
    },
  ];
}

async function lostTokens(server, { database, schema, key }, acked) {
  const client = await connect(server.superuserUrl(database));
  const { rows } = await client.query(`select token from "${schema}".journal where tenant_id = $1`, [key]);
  await client.end();
  const there = new Set(rows.map(({ token }) => token));
  return (
    [...acked].filter((token) => !there.has(token)).length +
    [...there].filter((token) => !acked.has(token)).length
  );
}
