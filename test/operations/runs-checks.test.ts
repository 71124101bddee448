import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runFailure } from '../../src/cli/run-failure.js';
import type { HealthCheck } from '../../src/core/settings.js';
import { parseSelectors } from '../../src/core/selector.js';
import { resumeRun } from '../../src/operations/runs/resume.js';
import { suspendTenant } from '../../src/operations/suspend.js';
import { directoryOf } from '../engine/ledger/directory.js';
import { wave } from '../engine/waves/plannable.js';
import { type SmallFleet, useFleets } from './fleets.js';
import { GO, STEP, decisions, oneByOne, schemaOf, started } from './runs-support.js';

const fleets = useFleets();
const COUNTS = { pool: 2, schema: 2, database: 1 };

/** Each tenant has a row of its own; every wave asks the check, also of the pool. */
async function checked(check: HealthCheck, counts = COUNTS): Promise<SmallFleet> {
  const seed = path.join(
    directoryOf({ 'seed.sql': `insert into item (id, note) values (1, 'own');` }),
    'seed.sql',
  );
  const checks = [check];
  const waves = [
    wave('tenants', { select: parseSelectors(['tier!=pool']), checks }),
    wave('pool', { select: parseSelectors(['tier=pool']), checks }),
  ];
  const fleet = await fleets.make(counts, { seed, ...oneByOne({ waves }) });
  fleet.add(STEP);
  return fleet;
}

describe('the health check of a wave', () => {
  test('is asked in the context of each tenant, which sees its own rows as the application does', async () => {
    const own = `select count(*) = 1 and current_user <> session_user from item`;
    const fleet = await checked({ sql: own });
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded', totals: { succeeded: 4 } });
    expect(await decisions(fleet)).toEqual([]);
  });

  test('sees what the migration has made', async () => {
    const fleet = await checked({ sql: 'select bool_and(extra is null) from item' });
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded' });
  });

  test('halts the run when it says false, and is asked again on resume', async () => {
    const fleet = await checked({ sql: 'select count(*) = 1 from item' });
    await fleet.shared(
      `insert into "${schemaOf(fleet, 'schema-2')}".item (tenant_id, id) values (gen_random_uuid(), 2)`,
    );
    const report = await fleet.migrate();
    const said = `health check of wave tenants: schema:schema-2: tenant schema-2: \`select count(*) = 1 from item\` gave false, not true`;
    expect(report).toMatchObject({ status: 'paused', reason: `halted: ${said}` });
    expect(report.totals).toMatchObject({ succeeded: 3, failed: 0, pending: 1 });
    expect(runFailure(report)).toMatchObject({ code: 'RUN_HALTED', exit: 7 });
    expect(started(fleet)).toHaveLength(3);
    expect(await decisions(fleet)).toEqual([
      ['check failed', said],
      ['halted', said],
    ]);
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({
      status: 'paused',
      totals: { pending: 1 },
    });
    await fleet.shared(`delete from "${schemaOf(fleet, 'schema-2')}".item where id = 2`);
    expect(await resumeRun(fleet.fleet, undefined, GO)).toMatchObject({ status: 'succeeded' });
  });

  test('halts the run when it is an error, and says which', async () => {
    const fleet = await checked(
      { sql: 'select no_such_column from item' },
      { pool: 0, schema: 1, database: 0 },
    );
    const report = await fleet.migrate();
    expect(report.reason).toMatch(
      /^halted: health check .*tenant schema-1: `select no_such_column from item`: .*no_such/,
    );
  });

  test('may be a command that is given the tenant', async () => {
    const fleet = await checked({ command: ['sh', '-c', 'test {tenant} != pool-2'] });
    const report = await fleet.migrate();
    const pool = Object.keys(fleet.settings.clusters['main']?.pools ?? {})[0] as string;
    expect(report).toMatchObject({ status: 'paused', totals: { succeeded: 4, failed: 0 } });
    expect(report.reason).toContain(`health check of wave pool: pool:${pool}: tenant pool-2: `);
    expect(report.reason).not.toContain('and 1 more');
  });

  test('is not asked of suspended tenants, and halts nothing where the policy says continue', async () => {
    const fleet = await checked({ sql: 'select false' }, { pool: 0, schema: 1, database: 0 });
    await suspendTenant(fleet.fleet, 'schema-1', { dryRun: false });
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded' });
    const other = await checked({ sql: 'select false' }, { pool: 0, schema: 1, database: 0 });
    expect(await other.migrate({ onFailure: 'continue' })).toMatchObject({ status: 'succeeded' });
    expect((await decisions(other)).map(([decision]) => decision)).toEqual(['check failed']);
  });
});
