import { describe, expect, test } from 'vitest';
import { editTenant } from './changes.js';
import { tryWithLock } from '../../../src/pg/locks.js';
import { useServer } from '../../support/server.js';
import { type DoctorFleet, doctorFleet, rulesOf } from './support.js';

const server = useServer();

/** A fleet with a tenant in each tier. */
async function allTiers(): Promise<DoctorFleet> {
  const made = await doctorFleet(server.current);
  for (const tier of ['pool', 'schema', 'database'] as const) await made.tenant(`in-${tier}`, tier, 3);
  return made;
}

async function placed(made: DoctorFleet, id: string): Promise<{ database: string; schema: string }> {
  const { database, schema } = await made.show(id);
  return { database, schema };
}

test('a healthy fleet has no finding', async () => {
  expect(await (await allTiers()).findings()).toEqual([]);
});

describe('who lives where', () => {
  test.each(['pool', 'schema', 'database'])(
    'a home in tier %s of which the catalog knows nothing is found, and not touched by --fix',
    async (tier) => {
      const made = await allTiers();
      const { database } = await placed(made, `in-${tier}`);
      await made.forget(`in-${tier}`);
      const rules = tier === 'database' ? ['orphan-database warning'] : ['unknown-home error'];
      expect(rulesOf(await made.findings())).toEqual(rules);
      const { fixed, findings } = await made.fix();
      expect([rulesOf(fixed), rulesOf(findings)]).toEqual([[], rules]);
      expect(findings[0]?.hint).toContain('--rebuild-catalog');
      const [left] = await made.inside<{ n: number }>(
        database,
        `select count(*)::int as n from tenantctl.placement where tenant = 'in-${tier}'`,
      );
      expect(left?.n).toBe(1);
    },
  );

  test('a home that was begun for a tenant that nobody knows is removed by --fix when it holds no row', async () => {
    const made = await allTiers();
    const { database } = await placed(made, 'in-pool');
    await made.forget('in-pool');
    await made.inside(
      database,
      `update tenantctl.placement set state = 'making', status = 'provisioning' where tenant = 'in-pool'`,
    );
    expect(rulesOf(await made.findings())).toEqual(['unknown-home warning']);
    const refused = await made.fix();
    expect(refused.fixed).toEqual([]);
    expect(refused.findings[0]?.message).toContain('holds rows: customer');
    await made.inside(
      database,
      `delete from app.orders; delete from app.note; delete from app.event; delete from app.customer`,
    );
    expect(rulesOf((await made.fix()).fixed)).toEqual(['unknown-home warning']);
    expect(await made.findings()).toEqual([]);
  });

  test.each(['pool', 'schema', 'database'])(
    'a home in tier %s that has lost its placement is found',
    async (tier) => {
      const made = await allTiers();
      const { database } = await placed(made, `in-${tier}`);
      await made.inside(database, `delete from tenantctl.placement where tenant = 'in-${tier}'`);
      const [first] = await made.findings();
      expect(first).toMatchObject({ rule: 'missing-home', level: 'error', facts: { tenant: `in-${tier}` } });
      expect((await made.fix()).fixed).toEqual([]);
    },
  );

  test('a second home of a tenant, as a database from before its move brings back, is found and not touched', async () => {
    const made = await allTiers();
    await made.promote({ id: 'in-pool', to: 'schema' });
    await made.finishMove('in-pool');
    const { database } = await placed(made, 'in-pool');
    await made.inside(
      database,
      `insert into tenantctl.placement (tenant, key, unit, tier, schema, role, status, state, epoch)
       select tenant, key, 'pool:x', 'pool', 'app', 'x', 'active', 'active', 1 from tenantctl.placement where tenant = 'in-pool'`,
    );
    const { fixed, findings } = await made.fix();
    expect([fixed, rulesOf(findings)]).toEqual([[], ['second-home error']]);
  });

  test('a schema that is gone is found', async () => {
    const made = await allTiers();
    const { database, schema } = await placed(made, 'in-schema');
    await made.inside(database, `drop schema "${schema}" cascade`);
    expect(rulesOf(await made.findings())).toEqual(['missing-home error']);
  });

  test('a role that was renamed is found, with the statement that gives it its name back', async () => {
    const made = await allTiers();
    const { database } = await placed(made, 'in-schema');
    const [home] = await made.inside<{ role: string }>(
      database,
      `select role from tenantctl.placement where tenant = 'in-schema'`,
    );
    const role = home?.role ?? '';
    await made.inside(database, `alter role "${role}" rename to "${role}_old"`);
    const findings = await made.findings();
    expect(rulesOf(findings)).toEqual(['missing-home error']);
    expect(findings[0]?.message).toContain(`no such role`);
    expect(findings[0]?.hint).toContain(`rename to "${role}";`);
    await made.inside(database, `alter role "${role}_old" rename to "${role}"`);
    expect(await made.findings()).toEqual([]);
  });

  test('a database that is gone is found', async () => {
    const made = await allTiers();
    const { database } = await placed(made, 'in-database');
    await made.fleet.connections('main').leave(database);
    await made.inside('postgres', `alter database "${database}" rename to "${database}_away"`);
    const findings = await made.findings();
    expect(rulesOf(findings)).toEqual(['missing-database error', 'orphan-database warning']);
    expect(findings[0]?.facts).toMatchObject({ tenant: 'in-database', tenants: ['in-database'] });
    expect(findings[1]?.message).toContain('a copy of tenant in-database');
  });

  test.each([
    ['epoch', 'epoch = 7'],
    ['key', `key = '00000000-0000-0000-0000-000000000001'`],
    ['role', `role = 'somebody'`],
    ['unit', `unit = 'schema:other'`],
  ])(
    'a home with another %s than the catalog has is found, and not touched by --fix',
    async (what, change) => {
      const made = await allTiers();
      const { database } = await placed(made, 'in-schema');
      await made.inside(database, `update tenantctl.placement set ${change} where tenant = 'in-schema'`);
      const { fixed, findings } = await made.fix();
      expect(fixed).toEqual([]);
      const finding = findings.find(({ rule }) => rule === 'home-differs');
      expect(finding?.message).toContain(what);
      expect(finding?.facts).toMatchObject({ tenant: 'in-schema', differences: [{ what }] });
    },
  );
});

describe('what a home says of its tenant', () => {
  test.each([
    ['labels', `labels = '{"ring": "canary"}'`],
    ['plan', `plan = 'old'`],
    ['owner', `owner = 'nobody'`],
    ['status', `status = 'suspended'`],
  ])('another %s is written anew from the catalog by --fix', async (part, change) => {
    const made = await allTiers();
    for (const id of ['in-pool', 'in-schema', 'in-database']) {
      const { database } = await placed(made, id);
      const row = () =>
        made.inside(
          database,
          `select plan, owner, labels, status, state, epoch from tenantctl.placement where tenant = '${id}'`,
        );
      const before = await row();
      await made.inside(database, `update tenantctl.placement set ${change} where tenant = '${id}'`);
      const [finding] = await made.findings();
      expect(finding).toMatchObject({
        rule: 'description-differs',
        level: 'warning',
        facts: { tenant: id, parts: [part], fixable: true },
      });
      expect(rulesOf((await made.fix()).fixed)).toEqual(['description-differs warning']);
      expect(await row()).toEqual(before);
    }
    expect(await made.findings()).toEqual([]);
  });

  test('what was changed after everything that the audit log tells is not overwritten: the catalog may be old', async () => {
    const made = await allTiers();
    const { database } = await placed(made, 'in-schema');
    await made.inside(
      database,
      `update tenantctl.placement set labels = '{"ring": "canary"}', changed_at = now() + interval '1 hour' where tenant = 'in-schema'`,
    );
    const { fixed, findings } = await made.fix();
    expect(fixed).toEqual([]);
    expect(findings).toMatchObject([{ rule: 'description-differs', facts: { fixable: false } }]);
  });

  test('is no finding while somebody works on the tenant', async () => {
    const made = await allTiers();
    const { database } = await placed(made, 'in-schema');
    await made.inside(database, `update tenantctl.placement set owner = 'x' where tenant = 'in-schema'`);
    const held = await made.fleet.catalog((connection) =>
      tryWithLock(connection, 'tenant', 'in-schema', () => made.findings()),
    );
    expect(held?.value).toEqual([]);
  });

  test('is as the catalog has it after a change by `set`', async () => {
    const made = await allTiers();
    await editTenant(made.fleet, 'in-schema');
    expect(await made.findings()).toEqual([]);
  });
});

describe('versions', () => {
  test('that differ from the ledger are written to the catalog by --fix', async () => {
    const made = await allTiers();
    await made.catalog(
      `update tenantctl_catalog.units set version_id = 1, version_name = '0001_step' where id = 'schema:in-schema'`,
    );
    const [finding] = await made.findings();
    expect(finding).toMatchObject({
      rule: 'version-differs',
      facts: { unit: 'schema:in-schema', fixable: true },
    });
    await made.fix();
    expect(await made.findings()).toEqual([]);
    expect((await made.show('in-schema')).version?.id).toBe(2);
  });

  test('are not compared while a run is driven', async () => {
    const made = await allTiers();
    await made.catalog(
      `update tenantctl_catalog.units set version_id = 1, version_name = '0001_step' where id = 'schema:in-schema'`,
    );
    const driven = await made.fleet.catalog((connection) =>
      tryWithLock(connection, 'cluster', 'run', () => made.findings()),
    );
    expect(driven?.value).toEqual([]);
  });

  test('of a unit whose ledger is empty are not taken back', async () => {
    const made = await allTiers();
    const { database } = await placed(made, 'in-schema');
    await made.inside(database, `delete from tenantctl.ledger where unit like 'schema:%'`);
    const { fixed, findings } = await made.fix();
    expect([fixed, rulesOf(findings)]).toEqual([[], ['ledger-missing error']]);
  });

  test('of a schema that is gone are taken out of the ledger by --fix, those of one that stands are not', async () => {
    const made = await allTiers();
    const { database } = await placed(made, 'in-schema');
    const add = (unit: string) =>
      made.inside(
        database,
        `insert into tenantctl.ledger (unit, id, name, checksum, tool) values ($1, 1, '0001_step', 'x', 'x')`,
        [unit],
      );
    await add('schema:gone');
    expect(rulesOf((await made.fix()).fixed)).toEqual(['ledger-without-home warning']);
    await add('schema:public');
    const { fixed, findings } = await made.fix();
    expect([fixed, rulesOf(findings)]).toEqual([[], ['ledger-without-home warning']]);
  });
});

describe('places', () => {
  test('a cluster that the configuration has lost is found', async () => {
    const made = await allTiers();
    const { clusters } = made.settings;
    clusters['other'] = { ...clusters['main']!, name: 'other' };
    delete clusters['main'];
    expect((await made.findings()).map(({ rule, where }) => [rule, where])).toContainEqual([
      'unknown-cluster',
      'main',
    ]);
  });

  test('a pool that the configuration has lost, or knows elsewhere, is found', async () => {
    const made = await allTiers();
    const { pools } = made.settings.clusters['main']!;
    const [name] = Object.keys(pools) as [string];
    pools[name] = { ...pools[name]!, schema: 'elsewhere' };
    expect(rulesOf(await made.findings())).toEqual(['pool-elsewhere error']);
    delete pools[name];
    expect(rulesOf(await made.findings())).toEqual(['pool-elsewhere error']);
  });
});
