import { chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSelectors } from '../../../src/core/selector.js';
import { checkDrift } from '../../../src/operations/check/drift.js';
import { migrate } from '../../../src/operations/migrate.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { directoryOf, numbered, writeFiles } from '../../engine/ledger/directory.js';
import { newFolder } from '../../support/folder.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';

const server = useServer();

test('a file that writes outside of the database is run by `provision`, and never played to compare a unit with', async () => {
  const folder = newFolder();
  // The server may run as somebody else.
  chmodSync(folder, 0o777);
  const outside = join(folder, 'written');
  await query(server.current.superuserUrl('postgres'), 'grant pg_write_server_files to tenantctl_admin');
  const table = 'create table item (tenant_id uuid not null, id int not null, primary key (tenant_id, id))';
  const directory = directoryOf(numbered(`${table};`, `copy (select 1) to '${outside}';`));
  const { fleet, another } = await newFleet(server.current, { migrations: directory, seed: null });
  await provisionTenant(fleet, { id: 'acme', tier: 'pool', cluster: 'main' });
  expect(existsSync(outside)).toBe(true);
  rmSync(outside);
  const { findings } = await checkDrift(another());
  expect(existsSync(outside)).toBe(false);
  expect(findings).toMatchObject([
    {
      rule: 'not-compared',
      level: 'warning',
      message: expect.stringMatching(
        /0002_\w+\.sql: COPY with a file of the server acts where no rollback reaches$/,
      ) as string,
    },
  ]);
  writeFiles(directory, { '0003_note.sql': 'alter table item add column note text;' });
  const request = { select: parseSelectors([]), allowEmpty: false, dryRun: false };
  const report = await migrate(another(), request);
  expect(report).toMatchObject({ status: 'succeeded' });
  expect(existsSync(outside)).toBe(false);
});
