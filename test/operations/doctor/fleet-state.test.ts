import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { clockFindings } from '../../../src/operations/doctor/clocks.js';
import { diagnose } from '../../../src/operations/doctor/doctor.js';
import { tryWithLock } from '../../../src/pg/locks.js';
import { placeHold, releaseHold } from '../../../src/operations/retention/hold.js';
import { useServer } from '../../support/server.js';
import { type DoctorFleet, doctorFleet, rulesOf } from './support.js';

const server = useServer();

describe('a legal hold', () => {
  const lawyer = (made: DoctorFleet) => {
    const fleet = made.another();
    Object.assign(fleet.options.actor, { reason: 'case 17' });
    return fleet;
  };

  test('that the home does not know is found, and told to the home by --fix', async () => {
    const made = await doctorFleet(server.current);
    const { database } = await made.tenant('held', 'schema', 3);
    await placeHold(lawyer(made), 'held', { dryRun: false });
    expect(await made.findings()).toEqual([]);
    const [kept] = await made.inside<{ hold: unknown }>(
      database,
      `select hold from tenantctl.placement where tenant = 'held'`,
    );
    await made.inside(database, `update tenantctl.placement set hold = null where tenant = 'held'`);
    expect(rulesOf(await made.findings())).toEqual(['holds-differ error']);
    expect(rulesOf((await made.fix()).fixed)).toEqual(['holds-differ error']);
    expect(await made.findings()).toEqual([]);
    expect(await made.inside(database, `select hold from tenantctl.placement where tenant = 'held'`)).toEqual(
      [kept],
    );
  });

  test('that was released is taken from the home by --fix, one that nobody knows is not', async () => {
    const made = await doctorFleet(server.current);
    const { database } = await made.tenant('held', 'pool', 3);
    await placeHold(lawyer(made), 'held', { dryRun: false });
    const [kept] = await made.inside<{ hold: unknown }>(
      database,
      `select hold from tenantctl.placement where tenant = 'held'`,
    );
    await releaseHold(lawyer(made), 'held', { dryRun: false });
    const put = (hold: unknown) =>
      made.inside(database, `update tenantctl.placement set hold = $1::jsonb where tenant = 'held'`, [
        JSON.stringify(hold),
      ]);
    await put(kept?.hold);
    expect((await made.findings()).map(({ facts }) => facts['fixable'])).toEqual([true]);
    await made.fix();
    expect(await made.findings()).toEqual([]);
    await put([{ hold: randomUUID(), tenant: 'held', reason: 'x', author: 'y', placedAt: 'z' }]);
    expect((await made.fix()).fixed).toEqual([]);
    expect((await made.findings()).map(({ rule, facts }) => ({ rule, fixable: facts['fixable'] }))).toEqual([
      { rule: 'holds-differ', fixable: false },
    ]);
  });

  test('is mended with an entry in the audit log before and after', async () => {
    const made = await doctorFleet(server.current);
    const { database } = await made.tenant('held', 'schema', 3);
    await placeHold(lawyer(made), 'held', { dryRun: false });
    await made.inside(database, `update tenantctl.placement set hold = null where tenant = 'held'`);
    const dry = await diagnose(made.fleet, { fix: true, dryRun: true });
    expect(dry).toMatchObject({ fixed: [], findings: [{ rule: 'holds-differ' }] });
    await made.fix();
    expect(
      await made.catalog(
        `select phase, tenant, details ->> 'rule' as rule from tenantctl_catalog.audit where action = 'doctor.fix' order by seq`,
      ),
    ).toEqual([
      { phase: 'intent', tenant: 'held', rule: 'holds-differ' },
      { phase: 'done', tenant: 'held', rule: 'holds-differ' },
    ]);
  });
});

describe('an offboarding at which nobody is at work', () => {
  const begin = (made: DoctorFleet, state: string) =>
    made.inside(
      made.fleet.catalogDatabase,
      `insert into tenantctl_catalog.offboardings (id, tenant, requested_by, status_before, due_at, state, begun_at)
       values ('o1', 'leaver', 'jo', 'active', now(), $1, case when $1 in ('requested', 'scheduled') then null else now() end)`,
      [state],
    );

  test.each([
    ['requested', ['offboarding-stuck warning']],
    ['purging', ['deletion-stuck warning']],
    ['purged', ['deletion-stuck warning']],
    ['scheduled', []],
  ])('in state %s', async (state, rules) => {
    const made = await doctorFleet(server.current);
    await made.tenant('leaver', 'schema', 3);
    await begin(made, state);
    expect(rulesOf(await made.findings())).toEqual(rules);
  });

  test('is none while somebody is', async () => {
    const made = await doctorFleet(server.current);
    await made.tenant('leaver', 'schema', 3);
    await begin(made, 'purging');
    const held = await made.fleet.catalog((connection) =>
      tryWithLock(connection, 'tenant', 'leaver', () => made.findings()),
    );
    expect(held?.value).toEqual([]);
  });
});

describe('clocks', () => {
  test('of catalog and cluster may differ by a minute, not by more', () => {
    expect(clockFindings('main', 59_000)).toEqual([]);
    expect(clockFindings('main', -59_000)).toEqual([]);
    expect(clockFindings('main', 3_600_000)).toMatchObject([
      {
        rule: 'clocks-differ',
        level: 'error',
        where: 'main',
        message: expect.stringContaining('ahead') as string,
      },
    ]);
    expect(clockFindings('main', -90_000)).toMatchObject([
      { message: expect.stringContaining('behind') as string },
    ]);
  });

  test('that were set back show in an audit entry from the future', async () => {
    const made = await doctorFleet(server.current);
    await made.inside(
      made.fleet.catalogDatabase,
      `update tenantctl_catalog.audit set at = now() + interval '2 hours' where seq = (select max(seq) from tenantctl_catalog.audit)`,
    );
    expect(rulesOf(await made.findings())).toEqual(['audit-in-future error']);
  });
});

test('a cluster that cannot be reached is a finding, and the others are looked at all the same', async () => {
  const made = await doctorFleet(server.current);
  await made.backFromTheDead('lazarus', 'pool');
  const { main } = made.settings.clusters;
  if (main === undefined) throw new Error('the test fleet has a cluster main');
  made.settings.clusters['far'] = {
    ...main,
    name: 'far',
    url: 'postgresql://nobody@127.0.0.1:1/postgres',
    pools: {},
  };
  const findings = await made.findings();
  expect(findings.map(({ rule, where }) => `${rule} ${where.split('/')[0]}`).toSorted()).toEqual([
    'deleted-tenant-is-back main',
    'not-inspected far',
  ]);
  expect(JSON.stringify(findings)).not.toContain(new URL(main.url).password);
});
