import { describe, expect, test, vi } from 'vitest';
import type { FleetEvent } from '../../../src/core/events.js';
import type { Tier } from '../../../src/core/tier.js';
import { finishMove } from '../../../src/operations/moves/conduct.js';
import { requireMove } from '../../../src/engine/catalog/moves.js';
import { rollback } from '../../../src/operations/rollback.js';
import { resumeRun } from '../../../src/operations/runs/resume.js';
import { failureOf } from '../../engine/ledger/directory.js';
import { query, useServer, withClient } from '../../support/server.js';
import { AT_BARRIER, closeBarrier } from '../runs-support.js';
import { addMigration, processOf, runMigrations, standingMove } from './exclusion-support.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { leftovers } from './leftovers.js';

const server = useServer();
/** How long writes wait is promised elsewhere. */
const UNHURRIED = { moves: { maxPauseMs: 10_000 } };
const STEP = 'alter table customer add column extra text;';
const BACK = 'alter table customer drop column extra;';

const poolOf = ({ settings }: MovingFleet): string =>
  `pool:${Object.keys(settings.clusters['main']?.pools ?? {})[0]}`;
const stored = ({ fleet }: MovingFleet, move: string) =>
  fleet.catalog((connection) => requireMove(connection, move));
const held = (tenant: string): unknown =>
  expect.stringMatching(
    new RegExp(
      `^a tenant of it is being moved: tenant ${tenant}, move [0-9a-f]{8} is verified, for [\\d.]+ m?s$`,
    ),
  );
/** The units of the latest run with the wave that had them last. */
const places = ({ settings }: MovingFleet) =>
  query<{ place: string }>(
    settings.catalogUrl,
    `select u.unit || ' ' || w.name || ' ' || u.status as place from tenantctl_catalog.run_units u
       join tenantctl_catalog.run_waves w on w.run = u.run and w.ordinal = u.wave
      where u.run = (select id from tenantctl_catalog.runs order by started_at desc limit 1) order by 1`,
  ).then((rows) => rows.map(({ place }) => place));
const heard = (events: readonly FleetEvent[], type: FleetEvent['type']) =>
  vi.waitUntil(() => events.find((event) => event.type === type), { interval: 10, timeout: 30_000 });

describe('a run while a tenant moves', () => {
  test.each([
    ['out of its pool', 'pool', 'schema'],
    ['into a pool', 'schema', 'pool'],
  ] as [string, Tier, Tier][])(
    '%s leaves the held units out with the move, and does them late',
    async (_how, from, to) => {
      const fleet = await movingFleet(server.current, UNHURRIED);
      await fleet.tenant('acme', from);
      await fleet.tenant('other', 'schema', 5);
      const writer = fleet.writer('acme');
      const move = await standingMove(fleet, { id: 'acme', to });
      addMigration(fleet, 3, `${AT_BARRIER} ${STEP}`);
      const barrier = await closeBarrier({
        sharedUrl: server.current.adminUrl((await fleet.show('other')).database),
      });
      const running = runMigrations(fleet);
      await barrier.reached();
      await writer.commits(20);
      expect(await move.letGo()).toMatchObject({ state: 'grace', verified: true });
      await barrier.open();
      const report = await running;
      await writer.commits(20);
      const { lost, extra, surprises } = await fleet.settle('acme', writer);
      expect({ lost, extra, surprises: [...surprises] }).toEqual({ lost: [], extra: [], surprises: [] });
      expect(report).toMatchObject({
        status: 'succeeded',
        totals: { failed: 0, skipped: from === 'pool' ? 0 : 1 },
      });
      expect(await places(fleet)).toEqual(
        from === 'pool'
          ? [`${poolOf(fleet)} late succeeded`, 'schema:acme late succeeded', 'schema:other rest succeeded']
          : [
              `${poolOf(fleet)} late succeeded`,
              'schema:acme rest skipped',
              'schema:acme@old late succeeded',
              'schema:other rest succeeded',
            ],
      );
    },
    60_000,
  );

  test('ends without the held units, unless it is told to wait for them', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('acme', 'schema', 20);
    const move = await standingMove(fleet, { id: 'acme', to: 'pool' });
    addMigration(fleet, 3, STEP);
    await query(
      fleet.settings.catalogUrl,
      `update tenantctl_catalog.moves set started_at = now() - interval '11 minutes'`,
    );
    const ended = await runMigrations(fleet);
    const reason = expect.stringMatching(/tenant acme, move [0-9a-f]{8} is verified, for 11 min \d+ s$/);
    expect(ended).toMatchObject({ run: null, status: 'succeeded', failures: [], totals: { skipped: 2 } });
    expect(ended.skipped).toEqual([
      { unit: poolOf(fleet), reason },
      { unit: 'schema:acme', reason },
    ]);
    const warned = fleet.events.flatMap((event) =>
      event.type === 'notice' ? [[event.level, event.code]] : [],
    );
    expect(warned).toEqual([
      ['warning', 'UNIT_HELD_LONG'],
      ['warning', 'UNIT_HELD_LONG'],
    ]);

    const waiting = runMigrations(fleet, { wait: true });
    expect(await heard(fleet.events, 'wave.waiting')).toMatchObject({
      for: 'move',
      reason: expect.stringContaining('tenant acme'),
    });
    await move.letGo();
    expect(await waiting).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 0 } });
  }, 60_000);

  test('that waits can be interrupted, and goes on where it waited', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('acme', 'pool', 20);
    await fleet.tenant('other', 'schema', 5);
    const move = await standingMove(fleet, { id: 'acme', to: 'schema' });
    addMigration(fleet, 3, STEP);
    const interruption = new AbortController();
    const process = processOf(fleet, {
      signal: interruption.signal,
      onEvent: ({ type }) => type === 'wave.waiting' && interruption.abort(),
    });
    const paused = await runMigrations(fleet, { by: process, wait: true });
    await process.close();
    expect(paused).toMatchObject({ status: 'paused', totals: { succeeded: 1, skipped: 1 } });
    expect(paused.skipped).toEqual([{ unit: poolOf(fleet), reason: held('acme') }]);
    const resumed = resumeRun(fleet.fleet, undefined, { wait: true, dryRun: false });
    await heard(fleet.events, 'wave.waiting');
    await move.letGo();
    expect(await resumed).toMatchObject({ status: 'succeeded', totals: { succeeded: 3, skipped: 0 } });
  }, 60_000);

  test('back leaves the held units out as well, and takes them back late', async () => {
    const fleet = await movingFleet(server.current, UNHURRIED);
    await fleet.tenant('acme', 'pool', 20);
    await fleet.tenant('other', 'schema', 5);
    addMigration(fleet, 3, STEP, BACK);
    await runMigrations(fleet);
    const move = await standingMove(fleet, { id: 'acme', to: 'schema' });
    const back = { to: '2', select: [], allowDataLoss: true, dryRun: false };
    const report = await rollback(fleet.fleet, { ...back, wait: false });
    expect(report).toMatchObject({
      status: 'succeeded',
      skipped: [{ unit: poolOf(fleet), reason: held('acme') }],
    });
    const waiting = rollback(fleet.fleet, { ...back, wait: true });
    await heard(fleet.events, 'wave.waiting');
    await move.letGo();
    expect(await waiting).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 0 } });
  }, 60_000);
});

test('a copy does not begin while its unit is being migrated', async () => {
  const fleet = await movingFleet(server.current, UNHURRIED);
  const { database } = await fleet.tenant('busy', 'pool', 20);
  await withClient(server.current.adminUrl(database), async (migration) => {
    await migration.query('begin');
    await migration.query(
      `select tenantctl.claim($1, 2, '{3}', '{0003_step}', '{x}', 'applied', 'suite', null)`,
      [poolOf(fleet)],
    );
    const error = await failureOf(fleet.promote({ id: 'busy', to: 'schema' }));
    expect(error).toMatchObject({
      code: 'UNIT_BUSY',
      exit: 5,
      facts: { unit: poolOf(fleet), tenant: 'busy' },
    });
  });
  expect(await fleet.show('busy')).toMatchObject({ status: 'active', tier: 'pool' });
  expect(await leftovers(server.current, fleet, 'busy')).toEqual([]);
  expect(await fleet.promote({ id: 'busy', to: 'schema' })).toMatchObject({ state: 'grace' });
}, 60_000);

test('a contract-phase migration asks for the end of every move first', async () => {
  const fleet = await movingFleet(server.current, UNHURRIED);
  await fleet.tenant('acme', 'pool', 20);
  const { move } = await fleet.promote({ id: 'acme', to: 'schema' });
  addMigration(fleet, 3, STEP);
  addMigration(fleet, 4, '-- tenantctl: phase=contract after=3\nalter table customer drop column tags;');
  expect(await runMigrations(fleet)).toMatchObject({ status: 'succeeded', to: { id: 3 } });
  expect((await runMigrations(fleet, { contract: true })).held).toEqual([
    {
      migration: '0004_step',
      reason:
        'the moves of these tenants have not ended: acme; `tenantctl moves complete acme` ends one in its grace period',
    },
  ]);
  await finishMove(fleet.fleet, await stored(fleet, move));
  expect(await runMigrations(fleet, { contract: true })).toMatchObject({
    status: 'succeeded',
    held: [],
    totals: { succeeded: 2 },
  });
}, 60_000);
