import { describe, expect, test } from 'vitest';
import { migrate } from '../../../src/operations/migrate.js';
import { goOn } from '../../../src/operations/moves/conduct.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { resumeRun } from '../../../src/operations/runs/resume.js';
import { tryWithLock } from '../../../src/pg/locks.js';
import { idleSessions } from '../../../src/operations/doctor/idle-sessions.js';
import { useServer, withClient } from '../../support/server.js';
import { Crash, crashAt, withFleet } from '../provision-support.js';
import { type DoctorFleet, doctorFleet, rulesOf } from './support.js';

const server = useServer();

describe('a tenant that was begun', () => {
  test.each(['provision.recorded', 'provision.migrated', 'provision.seeded'] as const)(
    'and left at %s is found, and no more once it is finished',
    async (point) => {
      const made = await doctorFleet(server.current);
      for (const tier of ['pool', 'schema', 'database'] as const) {
        const request = { id: `half-${tier}`, tier, cluster: 'main' };
        await withFleet(made.settings, { reach: crashAt(point) }, (fleet) =>
          expect(provisionTenant(fleet, request)).rejects.toThrow(Crash),
        );
        const findings = await made.findings();
        expect(findings).toMatchObject([
          { rule: 'half-provisioned', facts: { tenant: request.id, fixable: false } },
        ]);
        expect(findings[0]?.hint).toContain(`tenantctl provision ${request.id} --tier ${tier}`);
        await provisionTenant(made.fleet, request);
        expect(await made.findings()).toEqual([]);
      }
    },
  );
});

describe('a run', () => {
  test('whose process has died is found, until it is resumed', async () => {
    const made = await doctorFleet(server.current);
    await made.tenant('in-schema', 'schema', 3);
    const { directory } = made.settings.migrations;
    const { writeFileSync } = await import('node:fs');
    writeFileSync(`${directory}/0003_more.sql`, 'alter table note add column more int;');
    await withFleet(made.settings, { reach: crashAt('migrate.unit-committed') }, (fleet) =>
      expect(migrate(fleet, { select: [], allowEmpty: false, dryRun: false })).rejects.toThrow(Crash),
    );
    const findings = await made.findings();
    expect(findings.map(({ rule }) => rule)).toContain('run-stuck');
    expect(findings.every(({ rule }) => ['run-stuck', 'version-differs'].includes(rule))).toBe(true);
    await resumeRun(made.fleet, undefined, { wait: false, dryRun: false });
    expect(await made.findings()).toEqual([]);
  });

  test('that somebody drives is none', async () => {
    const made = await doctorFleet(server.current);
    await made.inside(
      made.fleet.catalogDatabase,
      `insert into tenantctl_catalog.runs (id, kind, files_hash, actor, tool) values ('r1', 'migrate', 'x', 'jo', 'x')`,
    );
    expect(rulesOf(await made.findings())).toEqual(['run-stuck warning']);
    const driven = await made.fleet.catalog((connection) =>
      tryWithLock(connection, 'cluster', 'run', () => made.findings()),
    );
    expect(driven?.value).toEqual([]);
  });
});

describe('a move', () => {
  /** As it is thirty seconds after its process has died. */
  const leaseOver = (made: DoctorFleet) =>
    made.catalog(
      `update tenantctl_catalog.moves set lease_until = now() - interval '1 second' where finished_at is null`,
    );

  test.each(['move.prepared', 'move.copied', 'move.left', 'move.flipped'] as const)(
    'whose process has died at %s is found once its lease is over, and no more once it is resumed',
    async (point) => {
      const made = await doctorFleet(server.current);
      await made.tenant('mover', 'pool', 5);
      await withFleet(made.settings, { reach: crashAt(point) }, (fleet) =>
        expect(
          promote(fleet, { id: 'mover', to: 'schema', method: 'online' }, { dryRun: false }),
        ).rejects.toThrow(),
      );
      // Its lease says that somebody may be at work.
      expect(await made.findings()).toEqual([]);
      await leaseOver(made);
      const findings = await made.findings();
      expect(findings).toMatchObject([{ rule: 'move-stuck', facts: { tenant: 'mover', fixable: false } }]);
      expect(findings[0]?.hint).toContain('tenantctl moves resume');
      const [move] = await made.catalog<{ id: string }>('select id from tenantctl_catalog.moves');
      await goOn(made.fleet, { move: move?.id ?? '', tenant: 'mover' });
      expect(await made.findings()).toEqual([]);
    },
  );

  test('in its grace period is none, however long ago its lease was over', async () => {
    const made = await doctorFleet(server.current);
    await made.tenant('mover', 'pool', 5);
    await made.promote({ id: 'mover', to: 'database' });
    await leaseOver(made);
    expect(await made.findings()).toEqual([]);
  });
});

describe('a session of this tool that does nothing', () => {
  const look = async (made: DoctorFleet, idleMs: number) =>
    made.fleet
      .connections('main')
      .use('postgres', (session) =>
        idleSessions({ fleet: made.fleet, cluster: 'main', session, ours: true, databases: [] }, idleMs),
      );

  test.each([
    ['a transaction', 'begin; select 1'],
    ['a lock', `select pg_advisory_lock(1952804452, hashtext('acme'))`],
  ])('and keeps %s is found when it has done so for long', async (_what, statement) => {
    const made = await doctorFleet(server.current);
    await made.fleet.close();
    await withClient(
      `${server.current.adminUrl('postgres')}?application_name=tenantctl/0.0.0`,
      async (client) => {
        await client.query(statement);
        const found = await look(made, 0);
        expect(found.map(({ rule }) => rule)).toEqual(['idle-session']);
        expect(await look(made, 3_600_000)).toEqual([]);
      },
    );
  });

  test('and keeps nothing is none', async () => {
    const made = await doctorFleet(server.current);
    await withClient(
      `${server.current.adminUrl('postgres')}?application_name=tenantctl/0.0.0`,
      async (client) => {
        await client.query('select 1');
        expect(await look(made, 0)).toEqual([]);
      },
    );
  });
});
