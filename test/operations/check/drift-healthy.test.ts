import { cpSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Fleet } from '../../../src/engine/context.js';
import { checkDrift } from '../../../src/operations/check/drift.js';
import { migrate } from '../../../src/operations/migrate.js';
import { completeDue } from '../../../src/operations/moves/due.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { suspendTenant } from '../../../src/operations/suspend.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { newFolder } from '../../support/folder.js';
import { INVOICING, newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';
import { ZOO } from '../moves/zoo.js';
import { crashAt, withFleet } from '../provision-support.js';
import { restoringFleet } from '../restore/fleet.js';
import { dumpOf } from './dump.js';

const server = useServer({ autovacuum: 'off' });

const roll = (fleet: Fleet) =>
  migrate(fleet, { select: [], allowEmpty: false, dryRun: false, contract: true });

/** Copies the migrations of the sample product from one number to another. */
function copyMigrations(into: string, from: number, to: number): void {
  for (const file of readdirSync(`${INVOICING}migrations`).filter((name) => name.endsWith('.sql'))) {
    const number = Number.parseInt(file, 10);
    if (number >= from && number <= to) cpSync(`${INVOICING}migrations/${file}`, path.join(into, file));
  }
}

test('the sample product made, rolled out, moved, suspended and moved back has not drifted, and looking changes nothing', async () => {
  const directory = newFolder();
  copyMigrations(directory, 1, 6);
  const {
    fleet: first,
    settings,
    another,
  } = await newFleet(server.current, {
    migrations: directory,
    seed: null,
    moves: { graceMs: 0 },
  });
  for (const [id, tier] of [
    ['old-pooled', 'pool'],
    ['old-schema', 'schema'],
    ['old-database', 'database'],
    ['to-move', 'pool'],
  ] as const)
    await provisionTenant(first, { id, tier, cluster: 'main' });
  expect((await checkDrift(first)).findings).toEqual([]);
  copyMigrations(directory, 7, 14);
  // As a later command sees it.
  const fleet = another();
  const behind = await checkDrift(fleet);
  expect(behind.findings).toEqual([]);
  expect(behind.shapes.every(({ version }) => version === '0006_activity_log')).toBe(true);
  // The contract phase waits for the next run; what that will validate is not amiss until then.
  await roll(fleet);
  expect((await checkDrift(fleet)).findings).toEqual([]);
  await roll(fleet);
  for (const [id, tier] of [
    ['new-schema', 'schema'],
    ['new-database', 'database'],
    ['asleep', 'schema'],
    ['asleep-too', 'database'],
  ] as const)
    await provisionTenant(fleet, { id, tier, cluster: 'main' });
  for (const id of ['asleep', 'asleep-too']) await suspendTenant(fleet, id, { dryRun: false });
  await promote(fleet, { id: 'to-move', to: 'schema' }, { dryRun: false });
  await promote(fleet, { id: 'new-schema', to: 'database' }, { dryRun: false });
  await promote(fleet, { id: 'old-database', to: 'pool' }, { dryRun: false });

  // Without what runs have stored the files are played, and taken back.
  await query(settings.catalogUrl, 'delete from tenantctl_catalog.shapes');
  const before = await dumpOf(server.current);
  const { findings, shapes, skipped } = await checkDrift(fleet);
  expect(findings).toEqual([]);
  expect(skipped).toEqual([]);
  expect(shapes).toMatchObject([
    { kind: 'databases and schemas', majority: true, differences: [] },
    { kind: 'pools', majority: true, units: 1, tenants: 2 },
  ]);
  expect(await dumpOf(server.current)).toEqual(before);

  expect((await completeDue(fleet)).failed).toEqual([]);
  expect((await checkDrift(fleet)).findings).toEqual([]);
}, 240_000);

test('tables with everything that makes moving hard have not drifted after moves, exports and restores', async () => {
  const given = await restoringFleet(server.current, { migrations: directoryOf(numbered(...ZOO)) });
  await given.tenant('acme', 'schema', 60);
  await given.tenant('beta', 'database', 60);
  await given.promote({ id: 'acme', to: 'pool' });
  await given.promote({ id: 'beta', to: 'schema' });
  const { directory } = await given.exported('beta');
  for (const tier of ['pool', 'schema', 'database'] as const)
    await given.restore({ directory, id: `restored-${tier}`, tier });
  const { findings, shapes } = await checkDrift(given.fleet);
  expect(findings).toEqual([]);
  expect(shapes).toHaveLength(2);
}, 120_000);

test.each(['move.copied', 'move.drained', 'move.flipped'] as const)(
  'a move that was interrupted at %s is no drift: the homes that it holds are left out',
  async (point) => {
    const given = await restoringFleet(server.current, { migrations: directoryOf(numbered(...ZOO)) });
    await given.tenant('acme', 'schema', 60);
    await provisionTenant(given.fleet, { id: 'other', tier: 'schema', cluster: 'main' });
    await withFleet(given.settings, { reach: crashAt(point) }, async (fleet) => {
      await expect(given.promote({ id: 'acme', to: 'pool', method: 'online' }, fleet)).rejects.toThrow(point);
    });
    const { findings, skipped } = await checkDrift(given.fleet);
    expect(findings).toEqual([]);
    expect(skipped.map(({ unit }) => unit)).toContainEqual(expect.stringMatching(/^pool:/));
  },
);
