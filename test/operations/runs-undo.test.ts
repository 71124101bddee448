import { describe, expect, test } from 'vitest';
import { rollback } from '../../src/operations/rollback.js';
import { explainRun } from '../../src/operations/runs/explain.js';
import { retryRun } from '../../src/operations/runs/retry.js';
import { showRun } from '../../src/operations/runs/show.js';
import { failureOf } from '../engine/ledger/directory.js';
import { wave } from '../engine/waves/plannable.js';
import { useFleets, versionsOf } from './fleets.js';
import {
  GO,
  STEP,
  UNIQUE,
  addReversible,
  budget,
  decisions,
  history,
  oneByOne,
  repair,
  runRow,
  schemaOf,
  spoil,
  started,
  statuses,
} from './runs-support.js';

const fleets = useFleets();
const SIX = { pool: 0, schema: 6, database: 0 };
const POLICY = oneByOne({
  onFailure: 'rollback',
  failureBudget: budget(0),
  waves: [wave('first', { max: 2 }), wave('second')],
});
const INDEX =
  'create index item_extra on item (note); -- tenantctl: allow index-without-concurrently because the table has few rows';
const UNIQUE_BACK = 'alter table item drop constraint item_note;';

describe('a run that rolls back on failure', () => {
  test('takes back exactly what it did to that wave, the half of a failed unit too, and no more', async () => {
    const fleet = await fleets.make(SIX, POLICY);
    await spoil(fleet, 'schema-5');
    addReversible(fleet, 3, INDEX, 'drop index item_extra;');
    addReversible(fleet, 4, UNIQUE, UNIQUE_BACK);
    const report = await fleet.migrate();
    const why = '1 units of wave second failed; the budget bears 0; wave second was rolled back';
    expect(report).toMatchObject({ status: 'failed', reason: why });
    expect(report.totals).toMatchObject({ succeeded: 2, failed: 0, rolledBack: 3, pending: 1 });
    expect(report.waves.map(({ name, status }) => [name, status])).toEqual([
      ['first', 'succeeded'],
      ['second', 'rolled-back'],
    ]);
    expect(await statuses(fleet)).toEqual({
      'schema:schema-1': 'succeeded',
      'schema:schema-2': 'succeeded',
      'schema:schema-3': 'rolled-back',
      'schema:schema-4': 'rolled-back',
      'schema:schema-5': 'rolled-back',
      'schema:schema-6': 'pending',
    });
    const versions = await versionsOf(fleet);
    expect([1, 2, 3, 4, 5, 6].map((n) => versions[`schema:schema-${n}`]?.length)).toEqual([4, 4, 2, 2, 2, 2]);
    expect(started(fleet)).not.toContain('schema:schema-6');
    expect(await history(fleet, 'schema-3')).toEqual([
      { id: 1, back: false },
      { id: 2, back: false },
      { id: 3, back: true },
      { id: 4, back: true },
    ]);
    expect((await history(fleet, 'schema-5')).filter((entry) => entry.back)).toEqual([{ id: 3, back: true }]);
    const indexes = await fleet.shared(`select schemaname from pg_indexes where indexname = 'item_extra'`);
    expect(indexes).toHaveLength(2);
    const known = `select id, version_id as version from tenantctl_catalog.units where tier = 'schema' order by id`;
    expect((await fleet.catalog<{ version: number }>(known)).map(({ version }) => version)).toEqual([
      4, 4, 2, 2, 2, 2,
    ]);
    expect((await decisions(fleet)).map(([decision]) => decision)).toEqual(['halted', 'rolled back']);
    expect(await runRow(fleet)).toEqual({ status: 'failed', reason: why, open: false });
    expect(await showRun(fleet.fleet, undefined)).toEqual({ ...report, durationMs: expect.any(Number) });
    const { units } = await explainRun(fleet.fleet, undefined, 'schema:schema-3');
    expect(units[0]?.sentence).toBe('rolled back: from 2 to 2');
  });

  test('does the wave again on retry, before any other', async () => {
    const fleet = await fleets.make(SIX, oneByOne({ ...POLICY.rollout, waves: [wave('first', { max: 3 })] }));
    await spoil(fleet, 'schema-2');
    addReversible(fleet, 3, UNIQUE, UNIQUE_BACK);
    expect(await fleet.migrate()).toMatchObject({
      status: 'failed',
      totals: { rolledBack: 1, failed: 1, pending: 4 },
    });
    expect(await retryRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'failed',
      totals: { pending: 4 },
    });
    await repair(fleet, 'schema-2');
    expect(await retryRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'succeeded',
      totals: { succeeded: 6 },
    });
    expect((await history(fleet, 'schema-1')).map(({ id, back }) => (back ? -id : id))).toEqual([
      1, 2, -3, -3, 3,
    ]);
    for (const ids of Object.values(await versionsOf(fleet))) expect(ids).toEqual([1, 2, 3]);
  });

  test('is refused before its first unit where a file has no way back', async () => {
    const fleet = await fleets.make({ ...SIX, schema: 1 }, POLICY);
    addReversible(fleet, 3, 'create table a ();', 'drop table a;');
    fleet.add('-- tenantctl: irreversible\ncreate table b ();', 'create table c ();');
    const error = await failureOf(fleet.migrate());
    expect(error).toMatchObject({ code: 'IRREVERSIBLE', exit: 6 });
    expect(error.hint).toContain('Prisma and Drizzle have none');
    expect(error.message).toContain('0004_step: it says itself that it is irreversible');
    expect(error.message).toContain('0005_step: it has no down file');
    expect(error.message).not.toContain('0003_step');
    expect(await fleet.catalog('select from tenantctl_catalog.runs')).toEqual([]);
    expect(await versionsOf(fleet)).toEqual({ 'schema:schema-1': [1, 2] });
  });

  test('is refused where its way back drops data, unless that is agreed to', async () => {
    const fleet = await fleets.make({ ...SIX, schema: 1 }, POLICY);
    addReversible(fleet, 3, 'alter table item add column extra text;', 'alter table item drop column extra;');
    const error = await failureOf(fleet.migrate());
    expect(error).toMatchObject({ code: 'WOULD_LOSE_DATA', exit: 6 });
    expect(error.message).toContain('0003_step: DROP COLUMN removes item.extra');
    expect(await fleet.migrate({ allowDataLoss: true })).toMatchObject({ status: 'succeeded' });
  });

  test('says what is left when the way back fails, and stays open', async () => {
    const fleet = await fleets.make({ ...SIX, schema: 3 }, POLICY);
    await spoil(fleet, 'schema-3');
    addReversible(fleet, 3, INDEX, 'drop index no_such_index;');
    addReversible(fleet, 4, UNIQUE, UNIQUE_BACK);
    const report = await fleet.migrate();
    expect(report.status).toBe('paused');
    expect(report.reason).toContain('1 units of wave second are not rolled back');
    expect(report.failures).toMatchObject([{ unit: 'schema:schema-3', migration: '0003_step' }]);
    expect((await versionsOf(fleet))['schema:schema-3']).toEqual([1, 2, 3]);
  });
});

describe('a run that others have built upon', () => {
  test('is not taken back, and that is said before anything is done', async () => {
    const fleet = await fleets.make({ pool: 0, schema: 3, database: 0 });
    addReversible(fleet, 3, INDEX, 'drop index item_extra;');
    const { run } = await fleet.migrate();
    addReversible(
      fleet,
      4,
      'create index item_more on item (note); -- tenantctl: allow index-without-concurrently because the table has few rows',
      'drop index item_more;',
    );
    await fleet.migrate();
    for (const dryRun of [true, false]) {
      const request = { run: run ?? '', select: [], allowDataLoss: true, wait: false, dryRun };
      const error = await failureOf(rollback(fleet.fleet, request));
      expect(error).toMatchObject({ code: 'BUILT_UPON', exit: 5 });
      expect(error.message).toContain('schema:schema-1 has later migrations');
      expect(error.message).toContain('So have 2 others.');
    }
    expect(Object.values(await statuses(fleet))).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(await failureOf(explainRun(fleet.fleet, '', undefined))).toMatchObject({ code: 'RUN_AMBIGUOUS' });
    expect(await failureOf(explainRun(fleet.fleet, run ?? '', 'schema:nobody'))).toMatchObject({
      code: 'UNIT_NOT_IN_RUN',
    });
  });
});

describe('a rollback', () => {
  test('goes through the waves at once: no window, gate, bake time or check of the policy holds it back', async () => {
    const gated = { bakeMs: 3_600_000, approve: true, checks: [{ sql: 'select false' }] };
    const waves = [wave('first', { max: 2, ...gated }), wave('second', gated)];
    const fleet = await fleets.make(SIX, oneByOne());
    addReversible(
      fleet,
      3,
      STEP,
      'alter table item drop column extra; -- tenantctl: allow drop-column because test',
    );
    const { run } = await fleet.migrate();
    // Half an hour long, and twelve hours away.
    const minute = (Math.floor(Date.now() / 60_000) + 720) % 1_440;
    const window = { days: [1, 2, 3, 4, 5, 6, 7], from: minute, to: (minute + 30) % 1_440, zone: 'UTC' };
    Object.assign(fleet.settings.rollout, { waves, window });
    const request = { select: [], run: run as string, allowDataLoss: true, wait: false, dryRun: false };
    const report = await rollback(fleet.fleet, request);
    expect(report).toMatchObject({ kind: 'rollback', status: 'succeeded', totals: { succeeded: 6 } });
    expect('waves' in report && report.waves.map(({ name, units }) => [name, units])).toEqual([
      ['first', 2],
      ['second', 4],
    ]);
    expect(fleet.events.filter(({ type }) => type === 'wave.waiting')).toEqual([]);
  });

  test('is still held back by its budget', async () => {
    const fleet = await fleets.make(SIX, oneByOne({ failureBudget: budget(0) }));
    addReversible(fleet, 3, 'create table made ();', 'drop table made;');
    const { run } = await fleet.migrate();
    await fleet.shared(`drop table "${schemaOf(fleet, 'schema-1')}".made`);
    const request = { select: [], run: run as string, allowDataLoss: true, wait: false, dryRun: false };
    const report = await rollback(fleet.fleet, request);
    expect(report).toMatchObject({ status: 'paused', totals: { failed: 1, succeeded: 0, pending: 5 } });
  });
});
