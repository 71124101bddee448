import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { adoptFleet } from './adopt.js';
import { catalog } from './catalog.js';
import { checkMigrations } from './check-migrations.js';
import { drift } from './check-drift.js';
import { checkIsolation } from './check-isolation.js';
import { distance } from './distance.js';
import { exportTenants } from './export.js';
import { fanOut, release } from './fan-out.js';
import { loops } from './loops.js';
import { moves } from './moves.js';
import { provisionDatabase, provisionSchema } from './provision.js';
import { retention, retentionOfMany } from './retention.js';
import { scale } from './scale.js';
import { shapes } from './shape.js';

/**
 * `npm run bench [-- name …]`: performance claims as ratios within one run, on a server of its own with
 * durable settings. Results go to bench/results as JSON and to the terminal as a table.
 */
const SCENARIOS = {
  provisionSchema,
  provisionDatabase,
  catalog,
  fanOut,
  release,
  loops,
  distance,
  shapes,
  checkDrift: drift,
  checkIsolation,
  scale,
  moves,
  export: exportTenants,
  retention,
  retentionOfMany,
  checkMigrations,
  adopt: adoptFleet,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0) {
  console.error(`unknown scenario ${unknown.join(', ')}; there are: ${Object.keys(SCENARIOS).join(', ')}`);
  process.exit(2);
}

const results = [];
for (const name of names.length === 0 ? Object.keys(SCENARIOS) : names) {
  console.error(`${name} …`);
  for (const result of await SCENARIOS[name]())
    show(results[results.push({ scenario: name, ...result, ok: holds(result) }) - 1]);
}

const machine = { cores: os.availableParallelism(), cpu: os.cpus()[0]?.model, node: process.version };
mkdirSync(new URL('results/', import.meta.url), { recursive: true });
const file = new URL(`results/${new Date().toISOString().replaceAll(':', '-')}.json`, import.meta.url);
writeFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), machine, results }, null, 2)}\n`);
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;

function holds({ ratio, atMost = Infinity, atLeast = -Infinity }) {
  return ratio <= atMost && ratio >= atLeast;
}

function show({ claim, ratio, atMost, atLeast, ok }) {
  const target = atMost === undefined ? (atLeast === undefined ? '' : `≥ ${atLeast}`) : `≤ ${atMost}`;
  console.log(`${ok ? 'ok  ' : 'MISS'} ${ratio.toFixed(2).padStart(8)}  ${target.padEnd(8)} ${claim}`);
}
