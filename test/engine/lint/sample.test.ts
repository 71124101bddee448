import { expect, test } from 'vitest';
import { join } from 'node:path';
import { readMigrationFiles } from '../../../src/engine/formats/registry.js';
import { lintMigrations } from '../../../src/engine/lint/lint.js';
import type { RlsMode } from '../../../src/core/settings.js';
import { INVOICING } from '../../support/fleet.js';
import { settings } from './examples.js';

const findings = async (rls: RlsMode) =>
  lintMigrations(
    await readMigrationFiles({ directory: join(INVOICING, 'migrations'), format: 'auto' }),
    settings(rls),
  );

test('the sample product has nothing against it', async () => {
  expect(await findings('enforce')).toEqual([]);
});

test('where the tool is not to add policies, each of its tables of tenants lacks one', async () => {
  const found = await findings('observe');
  expect(new Set(found.map(({ rule, level }) => `${level} ${rule}`))).toEqual(
    new Set(['warning pool-table-without-policy']),
  );
  expect(found.map(({ message }) => message.split(' ')[0])).toEqual(
    expect.arrayContaining(['tenant_settings', 'customer', 'invoice', 'activity', 'webhook_delivery']),
  );
});
