import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FaultPoint } from '../../../src/core/faults.js';
import { TIERS } from '../../../src/core/tier.js';
import { verifyBag } from '../../../src/engine/bag/verify.js';
import type { FleetOptions } from '../../../src/engine/context.js';
import { exportTenant } from '../../../src/operations/export.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { suspendTenant } from '../../../src/operations/suspend.js';
import { alone } from '../../../src/operations/tenant-lock.js';
import { directoryOf, failureOf, numbered } from '../../engine/ledger/directory.js';
import { newFolder } from '../../support/folder.js';
import { query, useServer, withClient } from '../../support/server.js';
import { Crash, crashAt, withFleet } from '../provision-support.js';
import { type ExportingFleet, exportingFleet } from './fleet.js';
import { expectedSums, loadExport } from './load.js';

const server = useServer();

/** What the audit log has of exports. */
async function audited({ settings }: ExportingFleet): Promise<unknown[]> {
  return query(
    settings.catalogUrl,
    `select phase, tenant, details - 'tier' - 'epoch' as details from tenantctl_catalog.audit where action = 'tenant.export' order by seq`,
  );
}

/** Calls `then` where the export reaches a point, the first time. */
const once = (point: FaultPoint, then: () => void): FleetOptions['reach'] => {
  let done = false;
  return (reached) => {
    if (reached !== point || done) return;
    done = true;
    then();
  };
};

describe('a tenant that is', () => {
  it('unknown is not exported', async () => {
    const { export: exportIt } = await exportingFleet(server.current);
    expect((await failureOf(exportIt('nobody'))).code).toBe('TENANT_UNKNOWN');
  });

  it.each([
    ['provisioning', 'provision.created', 'tenantctl provision acme'],
    ['moving', 'move.prepared', 'tenantctl moves watch acme'],
  ] as const)('%s is refused with the next step', async (status, point, hint) => {
    const migrations = directoryOf(
      numbered('create table note (tenant_id uuid not null, id int, primary key (tenant_id, id))'),
    );
    const { fleet, settings, export: exportIt } = await exportingFleet(server.current, { migrations });
    if (status === 'moving') await provisionTenant(fleet, { id: 'acme', tier: 'pool' });
    await withFleet(settings, { reach: crashAt(point) }, async (dying) => {
      const work =
        status === 'moving'
          ? promote(dying, { id: 'acme', to: 'schema', method: 'online' }, { dryRun: false })
          : provisionTenant(dying, { id: 'acme', tier: 'pool' });
      await expect(work).rejects.toThrow(Crash);
    });
    const failure = await failureOf(exportIt('acme'));
    expect([failure.code, failure.exit, failure.facts['status']]).toEqual(['TENANT_STATUS', 5, status]);
    expect(failure.hint).toContain(hint);
  });

  it.each(TIERS)('suspended is exported all the same, out of tier %s', async (tier) => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('acme', tier);
    await suspendTenant(fleet.fleet, 'acme', { dryRun: false });
    const { manifest, directory } = await fleet.export('acme');
    expect((await loadExport(server.current, directory)).sums).toEqual(expectedSums(manifest));
    expect(manifest.tables.find(({ table }) => table === 'customer')?.rows).toBe(3);
  });

  it('being worked on by another process is left to it', async () => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('acme', 'pool');
    const failure = await alone(fleet.another(), 'acme', () => failureOf(fleet.export('acme')));
    expect(failure.code).toBe('TENANT_LOCKED');
  });
});

describe('the audit log', () => {
  it('has the intent before an export, and what it came to after it', async () => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('acme', 'pool');
    const { directory, manifestSha256, rows, bytes } = await fleet.export('acme');
    expect(await audited(fleet)).toEqual([
      { phase: 'intent', tenant: 'acme', details: { directory } },
      { phase: 'done', tenant: 'acme', details: { directory, manifestSha256, rows, bytes } },
    ]);
  });

  it('has a failure by its code, and nothing is left of the folder', async () => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('acme', 'pool');
    const directory = join(newFolder(), 'acme');
    const reach = once('export.table-written', () => {
      // A folder where the next file goes: the disk refuses it.
      mkdirSync(join(`${directory}.partial`, 'data/tables/002_category.csv'));
    });
    await withFleet(fleet.settings, { reach }, async (failing) => {
      const failure = await failureOf(exportTenant(failing, { id: 'acme', directory }, { dryRun: false }));
      expect([failure.code, failure.facts['errno']]).toEqual(['EXPORT_UNWRITABLE', 'EEXIST']);
    });
    expect(readdirSync(dirname(directory))).toEqual([]);
    expect(await audited(fleet)).toMatchObject([
      { phase: 'intent' },
      { phase: 'failed', details: { code: 'EXPORT_UNWRITABLE' } },
    ]);
  });

  it('has nothing of a plan, which writes nothing', async () => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('acme', 'pool');
    const directory = join(newFolder(), 'acme');
    const result = await exportTenant(fleet.fleet, { id: 'acme', directory }, { dryRun: true });
    expect(result).toMatchObject({ plan: { tenant: 'acme', directory, circles: [['customer', 'orders']] } });
    expect([existsSync(directory), readdirSync(dirname(directory)), await audited(fleet)]).toEqual([
      false,
      [],
      [],
    ]);
  });
});

describe('a place that cannot be written to', () => {
  it('is told before the server is asked', async () => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('acme', 'pool');
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const under = exportTenant(fleet.fleet, { id: 'acme', directory: join(file, 'acme') }, { dryRun: false });
    expect(await failureOf(under)).toMatchObject({ code: 'EXPORT_UNWRITABLE', exit: 5 });
    const taken = exportTenant(fleet.fleet, { id: 'acme', directory: dirname(file) }, { dryRun: true });
    expect(await failureOf(taken)).toMatchObject({ code: 'EXPORT_TARGET_EXISTS', exit: 5 });
  });
});

it('a table that the administrator may not read is named, and nothing is left', async () => {
  const fleet = await exportingFleet(server.current);
  const acme = await fleet.tenant('acme', 'schema');
  await fleet.inHome(
    acme,
    `create table secret (id int); revoke all on secret from public; alter table secret owner to current_user`,
  );
  const directory = join(newFolder(), 'acme');
  const failure = await failureOf(exportTenant(fleet.fleet, { id: 'acme', directory }, { dryRun: false }));
  expect(failure).toMatchObject({ code: 'EXPORT_TABLE_UNREADABLE', exit: 5, facts: { sqlstate: '42501' } });
  expect(failure.message).toContain('permission denied for table secret');
  expect(readdirSync(dirname(directory))).toEqual([]);
});

it('an export that is interrupted leaves nothing, and the same command begins anew', async () => {
  const fleet = await exportingFleet(server.current);
  await fleet.tenant('acme', 'pool');
  const directory = join(newFolder(), 'acme');
  const stop = new AbortController();
  const reach = once('export.table-written', () => stop.abort());
  await withFleet(fleet.settings, { reach, signal: stop.signal }, async (interrupted) => {
    const failure = await failureOf(exportTenant(interrupted, { id: 'acme', directory }, { dryRun: false }));
    expect([failure.code, failure.exit]).toEqual(['EXPORT_INTERRUPTED', 7]);
  });
  expect(readdirSync(dirname(directory))).toEqual([]);
  await exportTenant(fleet.fleet, { id: 'acme', directory }, { dryRun: false });
  expect((await verifyBag(directory)).ok).toBe(true);
});

describe('one moment', () => {
  it.each(TIERS)('all tables of tier %s are from it while an application goes on writing', async (tier) => {
    const fleet = await exportingFleet(server.current);
    const acme = await fleet.tenant(
      'acme',
      tier,
      `insert into "a b" select $t, n from generate_series(1, 500) n; insert into "a_b" select $t, n from generate_series(1, 500) n`,
    );
    let commits = 0;
    let writing = true;
    const writer = withClient(server.current.superuserUrl(acme.database), async (client) => {
      await client.query(`set search_path = "${acme.schema}"`);
      // A row goes from one table to the other, and back: their number together never changes.
      while (writing) {
        const [from, to] = commits % 3 === 0 ? ['a b', 'a_b'] : ['a_b', 'a b'];
        await client.query(
          `with moved as (delete from "${from}" where ctid = (select ctid from "${from}" where tenant_id = $1 limit 1) returning tenant_id, id) insert into "${to}" select * from moved`,
          [acme.key],
        );
        commits += 1;
      }
    });
    try {
      const before = commits;
      for (let round = 0; round < 3; round += 1) {
        const { manifest } = await fleet.export('acme');
        const rows = manifest.tables
          .filter(({ table }) => table === 'a b' || table === 'a_b')
          .map((table) => table.rows);
        expect(rows.reduce((sum, n) => sum + n, 0)).toBe(1_000);
      }
      expect(commits).toBeGreaterThan(before);
    } finally {
      writing = false;
      await writer;
    }
  });

  it('a migration that rewrites a table meanwhile waits, instead of leaving it empty in the export', async () => {
    const fleet = await exportingFleet(server.current);
    const acme = await fleet.tenant('acme', 'schema');
    let altered: Promise<unknown> = Promise.resolve();
    const reach = once('export.table-written', () => {
      altered = query(
        server.current.superuserUrl(acme.database),
        `alter table "${acme.schema}"."Mixed Case ""quoted"", comma" alter "select" type bigint using 1000 - "select"`,
      );
    });
    const { manifest, directory } = await withFleet(fleet.settings, { reach }, (other) =>
      fleet.export('acme', {}, other),
    );
    await altered;
    expect((await loadExport(server.current, directory)).sums).toEqual(expectedSums(manifest));
    const table = manifest.tables.find(({ table: name }) => name.startsWith('Mixed'));
    expect(table).toMatchObject({ rows: 2, columns: [{ name: 'select', type: 'integer' }, {}, {}, {}] });
  });
});

it('a budget of one connection to a database is enough', async () => {
  const fleet = await exportingFleet(server.current);
  await fleet.tenant('acme', 'schema');
  const main = fleet.settings.clusters['main'];
  if (main === undefined) throw new Error('the test fleet has a cluster main');
  const settings = { ...fleet.settings, clusters: { main: { ...main, maxPerDatabase: 1 } } };
  const { directory, manifest } = await withFleet(settings, {}, (narrow) => fleet.export('acme', {}, narrow));
  expect((await loadExport(server.current, directory)).sums).toEqual(expectedSums(manifest));
});

it('progress tells rows and bytes, and the end of it', async () => {
  const fleet = await exportingFleet(server.current);
  await fleet.tenant('acme', 'pool');
  const { rows, bytes, directory, manifest } = await fleet.export('acme');
  const events = fleet.events.filter(({ type }) => type.startsWith('export.'));
  expect(events[0]).toMatchObject({ type: 'export.started', tenant: 'acme', tables: manifest.tables.length });
  expect(events.at(-1)).toMatchObject({ type: 'export.finished', tenant: 'acme', rows, bytes, directory });
  const last = events.findLast(({ type }) => type === 'export.progress');
  expect(last).toMatchObject({ rows, bytes: manifest.tables.reduce((sum, table) => sum + table.bytes, 0) });
});
