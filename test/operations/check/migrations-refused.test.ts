import { describe, expect, test } from 'vitest';
import { failureOf, writeFiles } from '../../engine/ledger/directory.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { useFleets, versionsOf } from '../fleets.js';

const fleets = useFleets();
const COUNTS = { pool: 2, schema: 2, database: 1 };

describe('migrate', () => {
  test('refuses pending files that would block or break, names every place with its remedy, and changes nothing', async () => {
    const fleet = await fleets.make(COUNTS);
    fleet.add(
      'select 1;\ncreate index slow on item (note);',
      'alter table item drop column note;\nalter table item rename to thing;',
    );
    const before = await versionsOf(fleet);
    const error = await failureOf(fleet.migrate());
    expect(error).toMatchObject({ code: 'MIGRATION_UNSAFE', exit: 6 });
    for (const line of [
      '0003_step.sql:2: index-without-concurrently: Building slow takes SHARE on item, which blocks writers',
      'Build it CONCURRENTLY',
      '0004_step.sql:1: drop-column',
      '0004_step.sql:2: rename-table',
    ])
      expect(error.message).toContain(line);
    expect(error.hint).toContain('-- tenantctl: allow <rule> because <reason>');
    expect(await versionsOf(fleet)).toEqual(before);
    expect(await fleet.catalog('select from tenantctl_catalog.runs')).toEqual([]);
  });

  test('shows the findings in its plan, warnings as well', async () => {
    const fleet = await fleets.make({ ...COUNTS, database: 0 });
    fleet.add(
      'alter table item add constraint c check (id > 0);',
      "update item set note = 'x' where note is null;",
    );
    writeFiles(fleet.directory, { 'down/0003_step.sql': 'alter table item drop constraint c;' });
    const { findings } = await fleet.preview();
    expect(findings.map(({ rule, level, where }) => `${where} ${level} ${rule}`)).toEqual([
      '0003_step.sql error check-without-not-valid',
      '0004_step.sql warning data-change-unbatched',
      '0004_step.sql warning missing-down-file',
    ]);
  });

  test('goes on where only warnings are left, and where a finding is allowed with a reason', async () => {
    const fleet = await fleets.make(COUNTS);
    fleet.add(
      "update item set note = 'x' where note is null;",
      '-- tenantctl: allow index-without-concurrently because the table has few rows\ncreate index quick on item (note);',
    );
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded', totals: { succeeded: 4 } });
  });

  test('has nothing against files that every unit has already, nor against those of a home that is being made', async () => {
    const fleet = await fleets.make({ pool: 0, schema: 0, database: 0 });
    fleet.add('create index slow on item (note);');
    await provisionTenant(fleet.fleet, { id: 'fresh', tier: 'schema' });
    expect(await versionsOf(fleet)).toEqual({ 'schema:fresh': [1, 2, 3] });
    fleet.add('create table other (tenant_id uuid primary key);');
    expect(await fleet.migrate()).toMatchObject({ status: 'succeeded', totals: { succeeded: 1 } });
  });
});
