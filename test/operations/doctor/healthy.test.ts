import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Finding } from '../../../src/core/finding.js';
import { exportTenant } from '../../../src/operations/export.js';
import { migrate } from '../../../src/operations/migrate.js';
import { movesUndo } from '../../../src/operations/moves/verbs.js';
import { cancelOffboarding } from '../../../src/operations/offboard/cancel.js';
import { offboardTenant } from '../../../src/operations/offboard/offboard.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { restoreTenant } from '../../../src/operations/restore/restore.js';
import { runRetention } from '../../../src/operations/retention/run.js';
import { setTenant } from '../../../src/operations/set.js';
import { suspendTenant } from '../../../src/operations/suspend.js';
import { activateTenant } from '../../../src/operations/activate.js';
import { newFolder } from '../../support/folder.js';
import { useServer } from '../../support/server.js';
import { type DoctorFleet, doctorFleet, rulesOf } from './support.js';

const server = useServer();

const TIERS = ['pool', 'schema', 'database'] as const;

function addMigration(made: DoctorFleet, id: number, text: string): void {
  writeFileSync(`${made.settings.migrations.directory}/000${id}_more.sql`, text);
}

const all = { select: [], allowEmpty: false, dryRun: false };

/** Looks again and again while something is under way, each time as another process. */
async function during(
  made: DoctorFleet,
  work: () => Promise<unknown>,
): Promise<{ looks: number; found: Finding[] }> {
  const found: Finding[] = [];
  let looks = 0;
  let ended = false;
  const working = work().finally(() => (ended = true));
  while (!ended) {
    found.push(...(await made.findings()));
    looks += 1;
  }
  await working;
  return { looks, found };
}

test('after runs, moves, ways back, restores, suspensions and deletions in every tier there is nothing to find', async () => {
  const made = await doctorFleet(server.current);
  const { fleet } = made;
  for (const tier of TIERS) {
    await made.tenant(`stays-${tier}`, tier, 4);
    await made.tenant(`leaves-${tier}`, tier, 4);
    await suspendTenant(fleet, `stays-${tier}`, { dryRun: false });
    await activateTenant(fleet, `stays-${tier}`, { dryRun: false });
    await setTenant(fleet, `stays-${tier}`, { labels: { ring: tier }, owner: 'jo' }, { dryRun: false });
    await made.tenant(`shut-${tier}`, tier, 4);
    await suspendTenant(fleet, `shut-${tier}`, { dryRun: false });
  }
  for (const [tier, to] of [
    ['pool', 'schema'],
    ['schema', 'database'],
    ['database', 'pool'],
  ] as const) {
    await made.tenant(`mover-${tier}`, tier, 4);
    await made.promote({ id: `mover-${tier}`, to });
    await made.finishMove(`mover-${tier}`);
    await made.tenant(`back-${tier}`, tier, 4);
    await made.promote({ id: `back-${tier}`, to });
    await movesUndo(fleet, `back-${tier}`, { dryRun: false });
    await made.tenant(`grace-${tier}`, tier, 4);
    await made.promote({ id: `grace-${tier}`, to });
  }
  expect(await made.findings()).toEqual([]);
  addMigration(made, 3, 'alter table note add column more int;');
  await migrate(fleet, all);
  expect(await made.findings()).toEqual([]);

  const folder = newFolder();
  await exportTenant(fleet, { id: 'stays-schema', directory: `${folder}/bag` }, { dryRun: false });
  await restoreTenant(fleet, { directory: `${folder}/bag`, id: 'twin', tier: 'pool' });
  for (const tier of TIERS)
    await offboardTenant(
      fleet,
      { id: `leaves-${tier}`, retainMs: 0, withoutExport: true },
      { dryRun: false },
    );
  await runRetention(fleet, { ids: [] });
  await offboardTenant(fleet, { id: 'stays-pool', withoutExport: true }, { dryRun: false });
  expect(await made.findings()).toEqual([]);
  await cancelOffboarding(fleet, 'stays-pool', { dryRun: false });
  expect(await made.findings()).toEqual([]);
  const { findings, fixed } = await made.fix();
  expect([findings, fixed]).toEqual([[], []]);
}, 180_000);

test('while tenants are provisioned, moved, changed and deleted, and a run is at work, there is nothing to find', async () => {
  const made = await doctorFleet(server.current);
  const worker = made.another();
  for (const tier of TIERS) await made.tenant(`first-${tier}`, tier, 4);
  const provisioning = await during(made, async () => {
    for (const tier of TIERS)
      for (const n of [1, 2])
        await provisionTenant(worker, { id: `new-${tier}-${n}`, tier, cluster: 'main' });
  });
  const moving = await during(made, async () => {
    await made.promote({ id: 'new-pool-1', to: 'schema', method: 'online' }, worker);
    await made.promote({ id: 'new-schema-1', to: 'database' }, worker);
    await movesUndo(worker, 'new-pool-1', { dryRun: false });
    await made.finishMove('new-schema-1');
  });
  addMigration(made, 3, 'alter table note add column more int;');
  const running = await during(made, () => migrate(worker, all));
  const changing = await during(made, async () => {
    for (const tier of TIERS) {
      await setTenant(worker, `first-${tier}`, { labels: { ring: 'x' } }, { dryRun: false });
      await suspendTenant(worker, `first-${tier}`, { dryRun: false });
      await activateTenant(worker, `first-${tier}`, { dryRun: false });
      await offboardTenant(
        worker,
        { id: `first-${tier}`, retainMs: 0, withoutExport: true },
        { dryRun: false },
      );
    }
    await runRetention(worker, { ids: [] });
  });
  for (const { looks, found } of [provisioning, moving, running, changing]) {
    expect(looks).toBeGreaterThan(0);
    expect(found.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
  }
  expect(await made.findings()).toEqual([]);
}, 180_000);

test('two processes that mend at once leave what one would have left', async () => {
  const made = await doctorFleet(server.current);
  await made.tenant('one', 'schema', 3);
  const { database } = await made.show('one');
  await made.inside(database, `update tenantctl.placement set owner = 'nobody' where tenant = 'one'`);
  await made.inside(
    database,
    `insert into tenantctl.ledger (unit, id, name, checksum, tool) values ('schema:gone', 1, 'x', 'x', 'x')`,
  );
  await made.catalog(
    `update tenantctl_catalog.units set version_id = 1, version_name = 'x' where id = 'schema:one'`,
  );
  expect(rulesOf(await made.findings()).length).toBe(3);
  const other = { ...made, fleet: made.another() };
  const { diagnose } = await import('../../../src/operations/doctor/doctor.js');
  await Promise.all([made.fix(), diagnose(other.fleet, { fix: true, dryRun: false })]);
  expect(await made.findings()).toEqual([]);
});
