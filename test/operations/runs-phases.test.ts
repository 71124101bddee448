import { describe, expect, test } from 'vitest';
import { parseSelectors } from '../../src/core/selector.js';
import type { WaveSettings } from '../../src/core/settings.js';
import { resumeRun } from '../../src/operations/runs/resume.js';
import { fleetStatus } from '../../src/operations/status.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { setTenant } from '../../src/operations/set.js';
import { wave } from '../engine/waves/plannable.js';
import { type SmallFleet, useFleets, versionsOf } from './fleets.js';
import { GO, STEP, oneByOne, started, unitRows } from './runs-support.js';

const fleets = useFleets();
const NO = { dryRun: false };
const EXPAND = '-- tenantctl: phase=expand\nalter table item add column extra text;';
const CONTRACT = '-- tenantctl: phase=contract after=3\nalter table item drop column note;';
const NEEDS_GO = 'it is of the contract phase: give it a go with `tenantctl migrate --contract`';
const lacks = (...units: string[]) => `it completes 3, which these units lack: ${units.join(', ')}`;
const all = async (fleet: SmallFleet) => [...new Set(Object.values(await versionsOf(fleet)).map(String))];
const poolOf = (fleet: SmallFleet): string =>
  `pool:${Object.keys(fleet.settings.clusters['main']?.pools ?? {})[0]}`;

describe('a contract-phase file', () => {
  test('waits for every unit of the fleet to have its expand, and for a go; what is behind it waits too', async () => {
    const fleet = await fleets.make({ pool: 0, schema: 3, database: 1 }, oneByOne());
    fleet.add(EXPAND, CONTRACT, 'create table later ();');
    await setTenant(fleet.fleet, 'schema-3', { pin: '2' }, NO);
    const everywhere = lacks('database:database-1', 'schema:schema-1', 'schema:schema-2') + ' and 1 more';
    expect(await fleet.preview()).toMatchObject({
      migrations: [{ id: 3, phase: 'expand' }],
      held: [{ migration: '0004_step', reason: everywhere }],
    });
    const expanded = await fleet.migrate();
    expect(expanded).toMatchObject({ status: 'succeeded', to: { id: 3 } });
    expect(expanded.held).toEqual([{ migration: '0004_step', reason: everywhere }]);

    const held = [{ migration: '0004_step', reason: lacks('schema:schema-3') }];
    expect(await fleet.migrate({ contract: true })).toMatchObject({ run: null, held });
    expect(await fleet.migrate({ contract: true, selectors: ['id=schema-1'] })).toMatchObject({
      run: null,
      held,
    });
    await setTenant(fleet.fleet, 'schema-3', { unpin: true }, NO);
    expect(await fleet.migrate()).toMatchObject({ totals: { succeeded: 1 }, held });
    expect(await all(fleet)).toEqual(['1,2,3']);

    const asks = [{ migration: '0004_step', reason: NEEDS_GO }];
    expect((await fleet.preview()).held).toEqual(asks);
    expect(await fleet.migrate()).toMatchObject({ run: null, status: 'succeeded', held: asks });
    const done = await fleet.migrate({ contract: true });
    expect(done).toMatchObject({ status: 'succeeded', held: [], totals: { succeeded: 4 } });
    expect(await all(fleet)).toEqual(['1,2,3,4,5']);
  });

  test('waits only for units that its expand is meant for', async () => {
    const fleet = await fleets.make({ pool: 1, schema: 1, database: 0 }, oneByOne());
    fleet.add(
      '-- tenantctl: tiers=pool phase=expand\nalter table item add column extra text;',
      '-- tenantctl: phase=contract after=3\ndrop index if exists no_such_index;',
    );
    await fleet.migrate();
    expect(await fleet.migrate({ contract: true })).toMatchObject({
      status: 'succeeded',
      totals: { succeeded: 2 },
    });
    expect(await all(fleet)).toEqual(expect.arrayContaining(['1,2,3,4', '1,2,4']));
  });
});

describe('a pool in the waves of a policy', () => {
  const named = (name: string, selector: string): WaveSettings =>
    wave(name, { select: parseSelectors([selector]) });
  const waveOfPool = async (waves: (fleet: SmallFleet) => WaveSettings[]) => {
    const fleet = await fleets.make({ pool: 2, schema: 2, database: 0 }, oneByOne());
    for (const id of ['pool-1', 'pool-2', 'schema-2'])
      await setTenant(fleet.fleet, id, { labels: { ring: 'canary' }, unlabel: [] }, NO);
    Object.assign(fleet.settings.rollout, { waves: waves(fleet) });
    fleet.add(STEP);
    await fleet.migrate();
    const rows = await unitRows(fleet);
    return rows.map((row) => `${row.wave} ${row.unit.replace(/:.*/, '')}`);
  };

  test('is not dragged into one by the labels of its tenants, even of all of them', async () => {
    expect(await waveOfPool(() => [named('canary', 'label.ring=canary'), wave('rest')])).toEqual([
      'canary schema',
      'rest schema',
      'pools pool',
    ]);
  });

  test('is in the one that names it, by its unit or by its tier', async () => {
    const expected = ['first pool', 'rest schema', 'rest schema'];
    expect(await waveOfPool((fleet) => [named('first', `unit=${poolOf(fleet)}`), wave('rest')])).toEqual(
      expected,
    );
    expect(await waveOfPool(() => [named('first', 'tier=pool'), wave('rest')])).toEqual(expected);
  });

  test.each(['halt', 'continue'] as const)('that fails halts the run at once (%s)', async (onFailure) => {
    const waves = [named('first', 'tier=pool'), wave('rest')];
    const fleet = await fleets.make({ pool: 2, schema: 2, database: 0 }, oneByOne({ waves, onFailure }));
    await fleet.shared('create table app.taken ()');
    fleet.add('create table taken ();');
    const report = await fleet.migrate();
    const unit = poolOf(fleet);
    expect(report).toMatchObject({
      status: 'paused',
      reason: `halted: ${unit} failed, and a pool is many tenants at once`,
      totals: { failed: 1, pending: 2 },
    });
    expect(started(fleet)).toEqual([unit]);
    await fleet.shared('drop table app.taken');
    expect(await fleet.migrate()).toMatchObject({ run: report.run, status: 'succeeded' });
    expect(await resumeRun(fleet.fleet, undefined, GO).catch((error: unknown) => error)).toMatchObject({
      code: 'RUN_FINISHED',
    });
  });
});

describe('status', () => {
  const gate = async (fleet: SmallFleet) => {
    const { target, behind, held } = await fleetStatus(fleet.fleet, {});
    return { target, behind: behind.map(({ unit }) => unit), held: held.map(({ migration }) => migration) };
  };

  test('counts no unit as behind for a contract-phase file that nobody has given its go', async () => {
    const fleet = await fleets.make({ pool: 0, schema: 2, database: 0 }, oneByOne());
    fleet.add(EXPAND, CONTRACT, 'create table later ();');
    const two = ['schema:schema-1', 'schema:schema-2'];
    expect(await gate(fleet)).toEqual({ target: '0003_step', behind: two, held: ['0004_step'] });
    await fleet.migrate();
    expect(await gate(fleet)).toEqual({ target: '0003_step', behind: [], held: ['0004_step'] });
    const { behind, held, target } = await fleetStatus(fleet.fleet, { require: '5' });
    expect({ behind: behind.map(({ unit }) => unit), held, target }).toEqual({
      behind: two,
      held: [],
      target: '0005_step',
    });

    await provisionTenant(fleet.process({}), { id: 'schema-3', tier: 'schema' });
    expect(await gate(fleet)).toEqual({ target: '0003_step', behind: [], held: ['0004_step'] });
    expect(await fleet.migrate({ contract: true, selectors: ['id=schema-1'] })).toMatchObject({
      totals: { succeeded: 1 },
    });
    expect(await gate(fleet)).toEqual({ target: '0005_step', behind: ['schema:schema-2'], held: [] });
    await fleet.migrate({ contract: true });
    expect(await gate(fleet)).toEqual({ target: '0005_step', behind: [], held: [] });
    await fleet.close();
  });

  test('counts no unit as behind for a file that is not for its tier', async () => {
    const fleet = await fleets.make({ pool: 1, schema: 1, database: 0 }, oneByOne());
    fleet.add(STEP, '-- tenantctl: tiers=schema\ncreate table only_schema ();');
    expect((await gate(fleet)).behind).toEqual([poolOf(fleet), 'schema:schema-1']);
    await fleet.migrate();
    expect(await gate(fleet)).toEqual({ target: '0004_step', behind: [], held: [] });
  });
});
