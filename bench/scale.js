import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import vm from 'node:vm';
import pg from 'pg';
import {
  TABLES,
  fleetOfSchemas,
  growingMigrations,
  oneMigration,
  provisionAll,
} from './growing-migrations.js';
import { backendMemory, median, milliseconds, tenants, withServer } from './support.js';

const SCHEMAS = 5_000;
const DATABASES = 200;
const FIRST = 1_000;
/** The machine's speed changes within a run: the rates of several are compared. */
const ROUNDS = 3;
const TOOL = fileURLToPath(new URL('../bin/tenantctl.js', import.meta.url));

/**
 * Five thousand schemas and two hundred databases in one run: the rate over the last schemas against the first, memory
 * of the server's backends and of the process that drives the run; and how soon it says that nothing is pending.
 */
export async function scale() {
  return withServer(async (server) => {
    const migrations = growingMigrations();
    const fleet = await fleetOfSchemas(server, migrations, SCHEMAS);
    await provisionAll(fleet, tenants(DATABASES, 'd', 'database'));
    const rounds = [];
    const memory = watchBackends(server);
    for (let round = 0; round < ROUNDS; round += 1) {
      migrations.add(TABLES[round]);
      rounds.push(await oneRound(fleet));
    }
    const largest = await memory.stop();
    await fleet.close();
    const idle = await nothingPending(server, migrations.folder);
    migrations.remove();
    const decay = median(rounds.map(({ first, last }) => last / first));
    const { early, late } = rounds[0];
    return [
      {
        claim: `rate over the last ${FIRST} of ${SCHEMAS} schemas ÷ rate over the first`,
        ratio: decay,
        atLeast: 0.9,
        figures: { rounds: rounds.map(({ first, last }) => ({ first, last })) },
      },
      {
        claim: 'largest backend of the run, MB',
        ratio: largest,
        atMost: 100,
        figures: { megabytes: largest },
      },
      {
        claim: `heap of the process after ${SCHEMAS} units ÷ after ${FIRST}, garbage collected`,
        ratio: late / early,
        atMost: 1.25,
        figures: { early, late, residentMegabytes: process.memoryUsage().rss / 2 ** 20 },
      },
      {
        claim: `\`migrate\` with nothing pending over ${SCHEMAS} schemas and ${DATABASES} databases, seconds`,
        ratio: median(idle),
        atMost: 2,
        figures: { seconds: idle },
      },
    ];
  });
}

/** Units a second at its beginning and at its end, and how much the process holds meanwhile. */
async function oneRound(fleet) {
  const finished = [];
  const heap = new Map();
  fleet.options.emit = (event) => {
    if (event.type !== 'unit.finished' || !event.unit.startsWith('schema:')) return;
    finished.push(performance.now());
    if (finished.length === FIRST || finished.length === SCHEMAS) heap.set(finished.length, heldMegabytes());
  };
  await oneMigration(fleet, 4);
  const rate = (from, to) => ((to - from) * 1_000) / (finished[to - 1] - finished[from]);
  return {
    first: rate(0, FIRST),
    last: rate(SCHEMAS - FIRST, SCHEMAS),
    early: heap.get(FIRST),
    late: heap.get(SCHEMAS),
  };
}

/** What garbage collection leaves. */
function heldMegabytes() {
  v8.setFlagsFromString('--expose-gc');
  vm.runInNewContext('gc')();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** The command as it is typed, from its start to its end. */
async function nothingPending(server, directory) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-project-'));
  const config = {
    catalog: { url: server.adminUrl('catalog') },
    clusters: {
      main: {
        url: server.adminUrl('postgres'),
        schemas: { database: 'app_shared' },
        pools: { shared: { database: 'app_shared', schema: 'app' } },
      },
    },
    migrations: { directory },
    plans: { pro: { tier: 'schema' } },
  };
  writeFileSync(path.join(folder, 'tenantctl.config.json'), JSON.stringify(config));
  const seconds = [];
  for (let round = 0; round < 3; round += 1)
    seconds.push((await milliseconds(() => succeeds(['migrate', '--json'], folder))) / 1_000);
  rmSync(folder, { recursive: true, force: true });
  return seconds;
}

function succeeds(args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [TOOL, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(text))));
  });
}

function watchBackends(server) {
  const client = new pg.Client({ connectionString: server.adminUrl('postgres') });
  let largest = 0;
  let stopped = false;
  const look = async () => {
    const { rows } = await client.query(
      `select pid from pg_stat_activity where datname = 'app_shared' and pid <> pg_backend_pid()`,
    );
    const sizes = await Promise.all(rows.map(({ pid }) => backendMemory(pid)));
    largest = Math.max(largest, ...sizes.filter((size) => size !== null));
  };
  const loop = (async () => {
    await client.connect();
    while (!stopped) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await client.end();
  })();
  return {
    async stop() {
      stopped = true;
      await loop;
      return largest;
    },
  };
}
