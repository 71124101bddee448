import pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import type { Fleet } from '../../src/engine/context.js';
import { explainRun } from '../../src/operations/runs/explain.js';
import { type SmallFleet, useFleets } from './fleets.js';
import { STEP, migratingAtBarrier, oneByOne, schemaOf } from './runs-support.js';

const fleets = useFleets();
const ONE = { pool: 0, schema: 1, database: 0 };
const UNIT = 'schema:schema-1';

/** Holds a table of the unit in a session of an application's, in the middle of a transaction. */
async function holdTable(fleet: SmallFleet): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: fleet.sharedUrl, application_name: 'reporting' });
  await client.connect();
  await client.query(`begin; select from "${schemaOf(fleet, 'schema-1')}".item`);
  return client;
}

const sentenceOf = async (fleet: SmallFleet, asking = fleet.process({})): Promise<string> =>
  (await explainRun(asking, undefined, UNIT)).units[0]?.sentence ?? '';

/** A process that reaches the catalog and no cluster. */
function blind(fleet: SmallFleet): Fleet {
  const { main } = fleet.settings.clusters;
  const away = new URL(main?.url ?? '');
  away.port = '1';
  const clusters = { main: { ...main, url: away.href } };
  return Object.assign(fleet.process({}), { settings: { ...fleet.settings, clusters } });
}

/** Asks again and again, as a person would, until the answer is such a one. */
const says = (fleet: SmallFleet, wanted: RegExp, asking = fleet.process({})) =>
  vi.waitFor(async () => expect(await sentenceOf(fleet, asking)).toMatch(wanted), {
    interval: 20,
    timeout: 20_000,
  });

const BLOCKED =
  /^running for [\d.]+ m?s: waits for a lock, blocked by pid \d+ `reporting` \(idle in transaction for [\d.]+ m?s\)$/;

describe('a unit at work', () => {
  test('that stands in the queue for a lock is explained with who holds it, as its server says now', async () => {
    const fleet = await fleets.make(ONE, oneByOne({ lockTimeoutMs: 60_000 }));
    const holder = await holdTable(fleet);
    fleet.add(STEP);
    const running = fleet.migrate();
    await says(fleet, BLOCKED);
    await holder.end();
    expect(await running).toMatchObject({ status: 'succeeded' });
    expect(await sentenceOf(fleet)).toBe('done: from 2 to 3');
    await fleet.close();
  });

  test('that keeps out of the queue between two tries is explained with whom it waits for, by anybody', async () => {
    const fleet = await fleets.make(ONE, oneByOne({ lockTimeoutMs: 60_000, retries: 5 }));
    const holder = await holdTable(fleet);
    fleet.add(STEP);
    const running = fleet.migrate();
    await says(fleet, BLOCKED, blind(fleet));
    await holder.end();
    expect(await running).toMatchObject({ status: 'succeeded' });
    await fleet.close();
  });

  test('is explained without its server as well, when that cannot be asked', async () => {
    const fleet = await fleets.make(ONE, oneByOne({ lockTimeoutMs: 60_000 }));
    const { barrier, running } = await migratingAtBarrier(fleet);
    await says(fleet, /blocked by pid/);
    expect(await sentenceOf(fleet, blind(fleet))).toMatch(/^running for [\d.]+ m?s$/);
    await barrier.open();
    expect(await running).toMatchObject({ status: 'succeeded' });
    await fleet.close();
  });
});
