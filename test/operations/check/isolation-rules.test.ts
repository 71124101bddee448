import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/core/finding.js';
import { CATALOG_RULES } from '../../../src/engine/isolation/registry.js';
import { useServer } from '../../support/server.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { ZOO } from '../moves/zoo.js';
import { type IsolatedFleet, isolatedFleet, named, readFaults } from './isolated-fleet.js';

const faults = readFaults();

test('each rule has a fixture with its fault, which is the bad example of its page', () => {
  const examples = Object.fromEntries(CATALOG_RULES.map(({ rule: { name, bad } }) => [name, bad]));
  expect(Object.fromEntries(faults.map(({ rule, sql }) => [rule, sql]))).toEqual(examples);
});

describe.each([
  ['the sample product', {}],
  ['the zoo', { migrations: directoryOf(numbered(...ZOO)), seed: null }],
])('a healthy fleet of %s', (_product, overrides) => {
  const server = useServer();

  test('has no finding in any tier', async () => {
    const { findings } = await isolatedFleet(server.current, overrides);
    expect(await findings()).toEqual([]);
  });
});

describe('a fleet with the good example of every rule', () => {
  const server = useServer();

  test('has no finding', async () => {
    const made = await isolatedFleet(server.current);
    for (const { rule } of CATALOG_RULES)
      await made.run(faults.find((fault) => fault.rule === rule.name)?.home ?? '', rule.good);
    await made.run('pool', AS_A_MIGRATION);
    expect(await made.findings()).toEqual([]);
  });
});

describe('a fleet whose pool an older version of this tool has made', () => {
  const server = useServer();

  test('has no finding: its policies ask for the same, and of every row', async () => {
    const made = await isolatedFleet(server.current);
    await made.run('pool', SCOPE_OF_EVERY_ROW);
    expect(await made.findings()).toEqual([]);
  });
});

describe('a fleet with one fault of every kind', () => {
  const server = useServer();

  test('is found complete, by name and object, and mended by the statements of its findings', async () => {
    const made = await isolatedFleet(server.current);
    for (const { rule, home, sql } of faults)
      await made.run(home, sql).catch((error: unknown) => {
        throw new Error(`the fixture of ${rule} cannot be made`, { cause: error });
      });
    const found = await made.findings();
    expect(named(found)).toEqual(faults.flatMap(({ finds }) => finds).toSorted());

    // What comes first uncovers the next: a key that a foreign key needed, a table that is a tenant's now.
    for (let round = 0; round < ROUNDS; round += 1)
      for (const finding of await made.findings()) await mend(made, finding);
    expect(named(await made.findings())).toEqual([]);
  }, 180_000);
});

const SCOPE_OF_EVERY_ROW = `
  do $$ declare t record; begin
    for t in select p.polrelid::regclass as name, o.rolname from pg_policy p
      join pg_class c on c.oid = p.polrelid join pg_roles o on o.oid = c.relowner where p.polname = 'tenantctl_fleet'
    loop
      execute format(replace('alter policy tenantctl_fleet on %s using (C) with check (C)', 'C',
        'session_user = %2$L and current_setting(''tenantctl.scope'', true) = ''fleet'''), t.name, t.rolname);
    end loop;
  end $$`;

/** What the tool does after each migration. */
const AS_A_MIGRATION = `select tenantctl.secure_pool('app', 'tenant_id', 'app.tenant_id', 'app_user', 'enforce', '{}')`;

const ROUNDS = 3;

/** As the administrator, and as the superuser what only that role can. */
async function mend(made: IsolatedFleet, { where, facts }: Finding): Promise<void> {
  const database = /^main\/([^.]+)\./.exec(where)?.[1] ?? 'postgres';
  for (const statement of facts.sql ?? []) {
    await made.sendTo(database, statement).catch((error: unknown) => {
      throw new Error(`${where}: ${statement}`, { cause: error });
    });
  }
}
