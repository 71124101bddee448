import { expect, it } from 'vitest';
import { findCertificate } from '../../../src/engine/catalog/certificates.js';
import { offboardTenant } from '../../../src/operations/offboard/offboard.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { runRetention } from '../../../src/operations/retention/run.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';

const server = useServer();

it.each(['database', 'schema'] as const)(
  'the only tenant of a cluster, in tier %s, is deleted with a certificate',
  async (tier) => {
    const { fleet } = await newFleet(server.current);
    await provisionTenant(fleet, { id: 'only', tier, cluster: 'main' });
    await offboardTenant(fleet, { id: 'only', retainMs: 0, withoutExport: true }, { dryRun: false });
    const { deleted, failed } = await runRetention(fleet, { ids: [] });
    expect(failed).toEqual([]);
    expect(deleted).toMatchObject([{ tenant: 'only' }]);
  },
);

it('rows of another product with the same number are let be, and the certificate says where nobody has looked', async () => {
  await query(server.current.adminUrl('postgres'), 'create database metrics');
  await query(
    server.current.adminUrl('metrics'),
    'create table visits (tenant_id bigint not null); insert into visits values (7)',
  );
  const { fleet } = await newFleet(server.current, {
    migrations: directoryOf(numbered('create table note (tenant_id bigint not null, id bigint)')),
    seed: null,
    tenancy: { columnType: 'bigint' },
  });
  await provisionTenant(fleet, { id: 'seven', key: '7', tier: 'pool', cluster: 'main' });
  await offboardTenant(fleet, { id: 'seven', retainMs: 0, withoutExport: true }, { dryRun: false });
  const { deleted, failed } = await runRetention(fleet, { ids: [] });
  expect(failed).toEqual([]);
  expect(deleted).toMatchObject([{ tenant: 'seven' }]);
  const document = await fleet.catalog((connection) => findCertificate(connection, 'seven'));
  expect(document?.certificate.rescan.notRead.join()).toContain('metrics');
});

it('a tenant column of the name and the values that our own tables have is no trace', async () => {
  const { fleet } = await newFleet(server.current, {
    migrations: directoryOf(numbered('create table note (tenant text not null, id bigint)')),
    seed: null,
    tenancy: { column: 'tenant', columnType: 'text' },
  });
  for (const id of ['acme', 'globex'])
    await provisionTenant(fleet, { id, key: id, tier: 'pool', cluster: 'main' });
  await offboardTenant(fleet, { id: 'acme', retainMs: 0, withoutExport: true }, { dryRun: false });
  const { deleted, failed } = await runRetention(fleet, { ids: [] });
  expect(failed).toEqual([]);
  expect(deleted).toMatchObject([{ tenant: 'acme' }]);
});
