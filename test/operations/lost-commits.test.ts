import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import type { FleetEvent } from '../../src/core/events.js';
import type { Reach } from '../../src/core/faults.js';
import { flushCommits } from '../../src/engine/ledger/flush.js';
import { useDurableServer } from '../kill/durable-server.js';
import { query, withClient } from '../support/server.js';
import { type SmallFleet, useFleets, versionsOf } from './fleets.js';
import { oneByOne, schemaOf, statuses } from './runs-support.js';

/** Only who waits for it brings a commit to the disk here: the server's own writer of the log comes too late. */
const server = useDurableServer({ wal_writer_delay: '10s', wal_writer_flush_after: '1GB' });
const fleets = useFleets(server);

const UNITS = 4;
const TRACE = 'create table trace (at timestamptz not null default now()); insert into trace default values;';
const ROLLOUT = oneByOne({ retries: 5 });

let restarted: Promise<unknown>;

/** Ends every process of the server at once, before anything else happens here, and has it started again. */
function crash(): void {
  process.kill(server.current.pid, 'SIGQUIT');
  restarted = server.stop('SIGQUIT').then(() => server.start());
}

/** Migrates with a crash the first time that something happens. */
async function migrateWith(
  fleet: SmallFleet,
  when: { reach?: Reach; onEvent?: (event: FleetEvent) => void },
) {
  const other = fleet.process({ onEvent: when.onEvent ?? (() => undefined) });
  Object.assign(other.options, when.reach && { reach: when.reach });
  const report = await fleet.migrate({ fleet: other });
  await restarted;
  await other.close();
  return report;
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

/** How often each schema has the change, whatever its ledger says. */
async function traces(fleet: SmallFleet): Promise<number[]> {
  const rows = fleet.tenants.schema.map(async (tenant) => {
    const [row] = await fleet.shared<{ n: number }>(
      `select count(*)::int as n from "${schemaOf(fleet, tenant)}".trace`,
    );
    return row?.n ?? 0;
  });
  return Promise.all(rows);
}

async function hasItOnceEverywhere(fleet: SmallFleet): Promise<void> {
  expect(await traces(fleet)).toEqual(Array(UNITS).fill(1));
  expect(Object.values(await versionsOf(fleet)).filter((ids) => ids.length > 0)).toEqual(
    Array(UNITS).fill([1, 2, 3]),
  );
  expect(new Set(Object.values(await statuses(fleet)))).toEqual(new Set(['succeeded']));
}

describe('a server that crashes in the middle of a run', () => {
  test('takes back a unit whose commit was not on its disk: nobody was told that it is done, and it is done again', async () => {
    const fleet = await fleets.make({ pool: 0, schema: UNITS, database: 0 }, ROLLOUT);
    fleet.add(TRACE);
    const told: string[] = [];
    const crashOnce = once(crash);
    const report = await migrateWith(fleet, {
      reach: (point) => {
        if (point === 'migrate.unit-committed') crashOnce();
      },
      onEvent: (event) => {
        if (event.type === 'notice') told.push(`${event.code} ${event.message}`);
        if (event.type === 'unit.finished') told.push(event.unit);
      },
    });
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: UNITS, failed: 0 } });
    const [first = '', ...rest] = told;
    expect(first).toMatch(
      /^COMMITS_LOST Database \S+ of cluster main .* units?, .* done again: schema:schema-1(, \S+)*\.$/,
    );
    // The next unit may have been committed as well before the signal reached the server.
    const lost = first.slice(first.indexOf('again: ') + 'again: '.length, -1).split(', ');
    for (const unit of lost) expect(rest.filter((name) => name === unit)).toHaveLength(1);
    await hasItOnceEverywhere(fleet);
  });

  test('keeps every unit that was told to be done', async () => {
    const fleet = await fleets.make({ pool: 0, schema: UNITS, database: 0 }, ROLLOUT);
    fleet.add(TRACE);
    const finished: string[] = [];
    const lost: string[] = [];
    const crashOnce = once(crash);
    await migrateWith(fleet, {
      onEvent: (event) => {
        if (event.type === 'notice' && event.code === 'COMMITS_LOST') lost.push(event.message);
        if (event.type !== 'unit.finished') return;
        crashOnce();
        finished.push(event.unit);
      },
    });
    expect(finished.toSorted()).toEqual(fleet.tenants.schema.map((tenant) => `schema:${tenant}`).toSorted());
    expect(lost.join(' ')).not.toContain(`${finished[0]}`);
    await hasItOnceEverywhere(fleet);
  });
});

describe('waiting for the disk', () => {
  const commitUnflushed = (client: Client, name: string) =>
    client.query(`set synchronous_commit = off; begin; create table ${name} (); commit`);

  test('keeps what others have committed without it, also for a session that does not wait itself', async () => {
    const fleet = await fleets.make({ pool: 0, schema: 1, database: 0 });
    await withClient(fleet.sharedUrl, async (client) => {
      await commitUnflushed(client, 'kept');
      await fleet.fleet.managed('main', client.database as string, async (connection) => {
        await connection.message('set synchronous_commit = off');
        await flushCommits(connection);
      });
      await commitUnflushed(client, 'lost');
      crash();
    });
    await restarted;
    const there = await query<{ name: string }>(
      fleet.sharedUrl,
      `select relname as name from pg_class where relname in ('kept', 'lost')`,
    );
    expect(there).toEqual([{ name: 'kept' }]);
  });
});
